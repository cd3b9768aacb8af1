/**
 * The exit code of every error code: what scripts, schedulers and the service go by. The record does not compile while a
 * code is missing.
 */
import type { ErrorCode } from './codes.js';

export const exitCodes = {
  done: 0,
  /** A fault of ours. */
  internal: 1,
  /** Wrong arguments. */
  usage: 2,
  /** A file or what it holds cannot be used. */
  input: 3,
  configuration: 4,
  /** The output exists or cannot be written. */
  output: 5,
  /** It failed while it ran: memory, a device, training that diverged. */
  runtime: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const { internal, usage, input, configuration, output, runtime, interrupted } = exitCodes;

const byCode: Readonly<Record<ErrorCode, ExitCode>> = {
  usage,
  config: configuration,
  interrupted,
  input,
  'file-read': input,
  'file-write': output,
  output,
  busy: output,
  format: input,
  volume: input,
  nifti: input,
  nrrd: input,
  metaimage: input,
  png: input,
  dicom: input,
  safetensors: input,
  model: input,
  defect: input,
  preparation: input,
  'prepared-cache': input,
  'grid-mismatch': input,
  'label-value': input,
  dataset: input,
  phantom: usage,
  evaluation: input,
  train: usage,
  diverged: runtime,
  checkpoint: input,
  history: input,
  'sample-pool': runtime,
  memory: runtime,
  runtime,
  graph: runtime,
  worker: runtime,
  internal,
};

export const exitCodeOf = (code: ErrorCode): ExitCode => byCode[code];
