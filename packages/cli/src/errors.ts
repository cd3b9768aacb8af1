/** From errors to exit codes and to the text that people see: a message without a stack unless `--debug` is given. */
import {
  errorCodeOf,
  type ErrorFields,
  type ExitCode,
  exitCodeOf,
  exitCodes,
  QuickcolumnError,
} from '@quickcolumn/errors';
import { CommanderError } from 'commander';
import pc from 'picocolors';

/** A configuration file that cannot be used; code `config`. */
export class ConfigurationError extends QuickcolumnError {
  constructor(message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super('config', message, fields, options);
  }
}

/** The exit code of anything thrown. */
export function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  return exitCodeOf(errorCodeOf(error));
}

/** Libraries say what is possible, in words of their own; here it becomes the flag to type. */
function flagsFor(error: unknown): string[] {
  if (!(error instanceof QuickcolumnError) || error.code !== 'runtime') return [];
  const { precision, possible } = error.fields;
  if (typeof precision !== 'string' || !Array.isArray(possible)) return [];
  return [`Use --precision ${['auto', ...(possible as readonly string[])].join(' or ')}.`];
}

/** The text shown for an error; with `debug`, its stack and those of its causes. */
export function describeError(error: unknown, options: { debug?: boolean } = {}): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = [`${pc.red('error:')} ${message}`, ...flagsFor(error)];
  if (exitCodeFor(error) === exitCodes.internal && !options.debug) {
    lines.push('This is a fault in quickcolumn; run again with --debug and report what it shows.');
  }
  if (options.debug) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) lines.push(cause.stack ?? '');
  }
  return lines.join('\n');
}
