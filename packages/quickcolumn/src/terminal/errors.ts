/**
 * From errors to exit codes and to the text that people see. Libraries know no flags: an error that an option of the job
 * would help with names it in its fields (`options: { force: 'replace it' }`), and here it becomes `--force`.
 */
import { errorCodeOf, type ExitCode, exitCodeOf, exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import { CommanderError } from 'commander';
import { showError } from './terminal.js';

/** The exit code of anything thrown. */
export function exitCodeFor(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  return exitCodeOf(errorCodeOf(error));
}

/** Shows an error; with `debug`, its stack and those of its causes. */
export function reportError(error: unknown, options: { debug?: boolean } = {}): void {
  const message = error instanceof Error ? error.message : String(error);
  const details: string[] = [];
  if (exitCodeFor(error) === exitCodes.internal && !options.debug) {
    details.push('This is a fault in quickcolumn; run again with --debug and report what it shows.');
  }
  if (options.debug) {
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) details.push(cause.stack ?? '');
  }
  showError(`${message}${flagHint(error)}`, details);
}

/** `, or use --resume to continue it, --force to start it anew`; empty where no option helps. */
function flagHint(error: unknown): string {
  if (!(error instanceof QuickcolumnError)) return '';
  const { options, precision, possible } = error.fields;
  // What a runtime computes in.
  if (typeof precision === 'string' && Array.isArray(possible)) {
    return `; use --precision ${['auto', ...(possible as readonly string[])].join(' or ')}`;
  }
  if (typeof options !== 'object' || options === null) return '';
  const hints = Object.entries(options).map(([option, effect]) => `${flagOf(option)} to ${String(effect)}`);
  return hints.length === 0 ? '' : `, or use ${hints.join(', ')}`;
}

/** `assumeUnits mm` as it is typed: `--assume-units mm`. */
function flagOf(option: string): string {
  const [name, ...values] = option.split(' ');
  return [`--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`, ...values].join(' ');
}
