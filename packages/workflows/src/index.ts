/** Jobs as data: what can be asked for, and what runs it. */
export { caseImages, type CaseImagesOptions } from './compare/case-images.js';
export { type Experiment, type ExperimentSystem, readExperiment } from './compare/experiment.js';
export type { JobHost, JobOptions, StageOptions } from './context.js';
export type { Activity, FinishedEvent, JobEvent, NoteEvent, ProgressEvent, TrainingEvent } from './events.js';
export { defaultCache } from './folders/cache-folder.js';
export { type ShownNames, shownNames } from './folders/case-names.js';
export { type LockRequest, withLock } from './folders/lock.js';
export { checkOutputFile, checkOutputFolder, exists, OutputError, writeFolder } from './folders/outputs.js';
export { checkRunFolder, runFiles, type RunStart } from './folders/run-folder.js';
export { readYaml, toYaml } from './folders/yaml.js';
export { inOwnProcess } from './hosts/process.js';
export type { CompareJob, CompareJobResult, CrossValidateJob, CrossValidateJobResult } from './jobs/compare.js';
export type { DeidentifiedSeries, DeidentifyJob, DeidentifyJobResult, RefusedFile } from './jobs/deidentify.js';
export type { DistillJob } from './jobs/distill.js';
export type { ClassSet, EvaluateJob, EvaluateJobResult } from './jobs/evaluate.js';
export { type Job, type JobKind, type JobResult, type Jobs, parseJob } from './jobs/index.js';
export type { CaseNaming, ComputeRequest, DataOverride, ScanConsent } from './jobs/parts.js';
export type { PlanJob, PlanJobResult } from './jobs/plan.js';
export { minutesToPlan } from './plan/minutes-to-plan.js';
export type { PlannedValue } from './plan/reasons.js';
export { planYaml } from './plan/plan-yaml.js';
export type {
  FailedScan,
  MaskFormat,
  PostProcessingRequest,
  PredictedFiles,
  PredictJob,
  PredictJobResult,
  ScanNaming,
  TestTimeOptions,
} from './jobs/predict.js';
export { maskFormats, scanNamings } from './jobs/predict.js';
export type { DemoJob, DemoJobResult, PreparedCase, PrepareJob, PrepareJobResult, ScanFiles } from './jobs/prepare.js';
export type {
  PseudoLabelJob,
  PseudoLabelJobResult,
  PseudoLabelledScan,
  SemiSupervisedJob,
  SemiSupervisedJobResult,
} from './jobs/pseudo-label.js';
export type { NextRoundJob, RoundsStatus, StartRoundsJob } from './jobs/rounds.js';
export type { TrainJob, TrainJobResult } from './jobs/train.js';
export { roundsStatus } from './rounds/rounds-jobs.js';
export { type PretrainedSurvey, surveyPretrained } from './predict/pretrained.js';
export { masksWrittenBefore } from './predict/scan-failures.js';
export { inThisProcess, runJob } from './run-job.js';
export { measuredPrecisions, type MeasuringPlace } from './runtime/measured-precisions.js';
export { type MachineSurvey, surveyMachine } from './runtime/survey-machine.js';
export { type ChosenSeries, chooseSeries, openListing, type OpenListing } from './scans/dicom-input.js';
export { scanInputs, type ScanInput } from './scans/scan-inputs.js';
export { caseName, InputError, type ScanFile, scansIn } from './scans/scan-files.js';
export { numericsVersion } from './compare/numerics.js';
export { formatSeconds } from './text.js';
export { type ConfigRequest, trainConfigFrom } from './train/train-config.js';
export { version } from './version.js';
