/** Datasets, augmentation, configuration and the trainer. */
export {
  type AugmentationConfig,
  augmentationSchema,
  muellerAugmentation,
  noAugmentation,
  noClass,
  paperAugmentation,
} from './augment/index.js';
export { type CaseSplit, formatCaseList, type ListedCase, readCaseList } from './case-list.js';
export {
  type Checkpoint,
  CheckpointError,
  type CheckpointName,
  type CheckpointState,
  hasCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from './checkpoint.js';
export {
  completed,
  type DataConfig,
  type InitConfig,
  parseTrainConfig,
  type TrainConfig,
  type TrainSettings,
} from './config.js';
export { ConfigError, type ConfigIssue, describeIssues } from './config-error.js';
export { casesOf } from './data-source.js';
export { type CaseRole, type DatasetCase, DatasetError, listCases, type PatientMap, patientOf } from './dataset.js';
export { type EpochRecord, HistoryError, type LossSummary, readHistory } from './history.js';
export {
  type LossConfig,
  lossSchema,
  type OptimizerConfig,
  optimizerSchema,
  type ScheduleConfig,
  scheduleSchema,
} from './objective-config.js';
export { type ProfileName, profileNames, profiles } from './profiles.js';
export {
  createProgressLine,
  type EpochProgress,
  formatDuration,
  type ProgressLineOptions,
  type StepProgress,
  type TrainProgress,
} from './progress.js';
export { checkpointsFolder, historyFile } from './resume.js';
export {
  casesOfRound,
  chooseBatch,
  type Correction,
  currentRound,
  parseRounds,
  type Round,
  type RoundCase,
  type RoundsState,
  startRounds,
  toPredict,
  withCorrections,
  withNextRound,
  withRound,
} from './rounds.js';
export {
  createSamplePool,
  type SamplePool,
  SamplePoolError,
  type SamplePoolOptions,
  shareCase,
  type TrainingCase,
  type TrainingSample,
} from './sample-pool.js';
export { type FrozenPart, frozenParts } from './freeze.js';
export {
  foldCases,
  foldsByRole,
  holdOutCases,
  type PatientCase,
  type RoleCase,
  type Split,
  splitByRole,
  splitCases,
} from './split.js';
export { exportModel } from './export-model.js';
export { compileEvaluationStep, compileTrainingStep, trainingGraph } from './step.js';
export type {
  EvaluationStep,
  NamedTensor,
  StepConfig,
  StepOptions,
  StepResult,
  TrainingBatch,
  TrainingStep,
} from './step-types.js';
export { EventFileError } from './tensorboard.js';
export { TrainError, TrainingDivergedError } from './train-error.js';
export { type SourceModel, type Transfer, transferWeights } from './transfer.js';
export { type SampleSource, type TrainOptions, type TrainOutcome, type TrainResult, train } from './trainer.js';
