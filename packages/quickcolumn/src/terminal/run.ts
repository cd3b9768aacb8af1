/** Runs the job that a command line stands for: its events on the terminal, Ctrl-C as its signal. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { inOwnProcess, type Job, type JobResult, runJob } from '@quickcolumn/workflows';
import { interruptSignal } from './interrupt.js';
import { terminalEvents } from './job-events.js';

/**
 * @param goOn the command that goes on after an interruption, a failed device or a full disk, which keep what is finished
 * @throws what the job throws
 */
export async function run<J extends Job>(job: J, goOn?: string): Promise<JobResult<J>> {
  try {
    return await runJob(job, { signal: interruptSignal, onEvent: terminalEvents(), host: inOwnProcess });
  } catch (error) {
    throw goOn === undefined ? error : withCommand(error, goOn);
  }
}

function withCommand(error: unknown, goOn: string): unknown {
  if (!(error instanceof QuickcolumnError)) return error;
  const failed = error.fields['reason'] === 'device-lost' || error.code === 'file-write';
  if (!failed && error.code !== 'interrupted') return error;
  const kept = failed ? '; what is finished is kept' : '';
  return new QuickcolumnError(error.code, `${error.message}${kept}; go on with: ${goOn}`, error.fields, {
    cause: error,
  });
}
