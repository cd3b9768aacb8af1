/** Training: configuration, samples, the compiled step, the trainer and what it leaves in a run folder. */
export {
  type AugmentationConfig,
  augmentationSchema,
  muellerAugmentation,
  noAugmentation,
  type Oversampling,
  packVotes,
  paperAugmentation,
  type SoftVotes,
  votedClasses,
} from './augment/index.js';
export { ConfigError, type ConfigIssue, describeIssues } from './config/config-error.js';
export { configVersion, migrateTrainConfig } from './config/migrate-config.js';
export { completed, parseTrainConfig } from './config/parse-config.js';
export { profiles } from './config/profiles.js';
export {
  type DistillConfig,
  type Extension,
  type InitConfig,
  type ProfileName,
  profileNames,
  type TrainConfig,
  type TrainSettings,
} from './config/train-config.js';
export type { LossConfig } from './losses/loss-config.js';
export { type MigrationStep, type PlainRecord, parseRecord, type RecordFormat } from './migrate.js';
export type { OptimizerConfig } from './optimizers/optimizer-config.js';
export {
  type Checkpoint,
  CheckpointError,
  type CheckpointName,
  type CheckpointState,
  hasCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from './run-folder/checkpoint.js';
export { type EpochRecord, HistoryError, type LossSummary, readHistory } from './run-folder/history.js';
export {
  createSamplePool,
  type SamplePool,
  SamplePoolError,
  type SamplePoolOptions,
  shareCase,
  type TrainingCase,
  type TrainingSample,
} from './samples/sample-pool.js';
export { statisticsPatches } from './samples/statistics-patches.js';
export type { ScheduleConfig } from './schedules/schedule-config.js';
export { compileStatisticsStep } from './step/statistics.js';
export { compileEvaluationStep, compileTrainingStep, trainingGraph } from './step/step.js';
export type {
  EvaluationStep,
  NamedTensor,
  StatisticsStep,
  StepConfig,
  StepOptions,
  StepResult,
  TrainingBatch,
  TrainingStep,
} from './step/step-types.js';
export { TrainError, TrainingDivergedError } from './train-error.js';
export {
  createProgressLine,
  type EpochProgress,
  formatDuration,
  type ProgressLineOptions,
  type StepProgress,
  type TrainProgress,
} from './trainer/progress.js';
export { extendTraining } from './trainer/extend.js';
export { checkpointsFolder, historyFile } from './trainer/places.js';
export { checkResume, type KeyedCase, type ResumeRequest } from './trainer/resume.js';
export { type SampleSource, type TrainOptions, type TrainOutcome, type TrainResult, train } from './trainer/trainer.js';
export { averagedWeights } from './weights/averaged-weights.js';
export { type ExportOptions, exportModel } from './weights/export-model.js';
export { type FrozenPart, frozenParts } from './weights/freeze.js';
export { type SourceModel, type Transfer, transferWeights } from './weights/transfer.js';
