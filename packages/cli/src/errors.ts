/**
 * From errors to exit codes. Libraries throw errors with a stable code; here each code becomes a number that scripts
 * can rely on, and a message without a stack unless `--debug` is given.
 *
 * 0 done, 1 a fault of ours, 2 usage, 3 bad input, 4 configuration, 5 output exists or cannot be written,
 * 6 failed while running (memory, training that diverged), 130 interrupted.
 */
import { FileError } from '@quickcolumn/io';
import { QuickcolumnError } from '@quickcolumn/volume';
import { CommanderError } from 'commander';
import pc from 'picocolors';

export const exitCodes = {
  done: 0,
  internal: 1,
  usage: 2,
  input: 3,
  configuration: 4,
  output: 5,
  runtime: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A configuration file that cannot be used; code `config`. */
export class ConfigurationError extends QuickcolumnError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}, options?: { cause?: unknown }) {
    super('config', message, fields, options);
  }
}

/** Exit code of each error code the packages throw. */
const byErrorCode: Readonly<Record<string, ExitCode>> = {
  model: exitCodes.input,
  preparation: exitCodes.input,
  'label-value': exitCodes.input,
  safetensors: exitCodes.input,
  'prepared-cache': exitCodes.input,
  train: exitCodes.usage,
  diverged: exitCodes.runtime,
  'sample-pool': exitCodes.runtime,
  graph: exitCodes.runtime,
  usage: exitCodes.usage,
  interrupted: exitCodes.interrupted,
  output: exitCodes.output,
  config: exitCodes.configuration,
  input: exitCodes.input,
  volume: exitCodes.input,
  nifti: exitCodes.input,
  dicom: exitCodes.input,
  nrrd: exitCodes.input,
  metaimage: exitCodes.input,
  dataset: exitCodes.input,
  history: exitCodes.input,
  checkpoint: exitCodes.input,
  evaluation: exitCodes.input,
  'grid-mismatch': exitCodes.input,
  phantom: exitCodes.usage,
  memory: exitCodes.runtime,
  runtime: exitCodes.runtime,
};

// What the operating system says about a file that is read, or written.
const inputErrno = new Set(['ENOENT', 'EISDIR', 'EIO', 'ELOOP', 'ENAMETOOLONG']);
const outputErrno = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EEXIST', 'ENOTDIR']);

/** The exit code of anything thrown. */
export function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof FileError) return / cannot write: /.test(error.message) ? exitCodes.output : exitCodes.input;
  const refused = error instanceof QuickcolumnError ? errnoOf(error.cause) : undefined;
  if (
    error instanceof QuickcolumnError &&
    error.code === 'checkpoint' &&
    refused !== undefined &&
    outputErrno.has(refused)
  ) {
    return exitCodes.output;
  }
  if (error instanceof QuickcolumnError) return byErrorCode[error.code] ?? exitCodes.internal;
  const code = errnoOf(error);
  if (code !== undefined && inputErrno.has(code)) return exitCodes.input;
  if (code !== undefined && outputErrno.has(code)) return exitCodes.output;
  return exitCodes.internal;
}

function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : undefined;
}

/** The text shown for an error; with `debug`, its stack and those of its causes. */
export function describeError(error: unknown, options: { debug?: boolean } = {}): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = [`${pc.red('error:')} ${message}`];
  if (exitCodeFor(error) === exitCodes.internal && !options.debug) {
    lines.push('This is a fault in quickcolumn; run again with --debug and report what it shows.');
  }
  if (options.debug) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) lines.push(cause.stack ?? '');
  }
  return lines.join('\n');
}
