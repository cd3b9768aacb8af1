/**
 * Runs one stage in a child process of this program and waits for it.
 *
 * The job goes to the child as its first message; the child answers with an error, if there is one, and ends. Ctrl-C is
 * handled here alone: the child ignores it and gets a message instead. A child whose parent is gone ends at once, so
 * that nothing writes into the folder behind the back of the next run.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { errorCodeOf, errorToJson, exitCodeOf, QuickcolumnError } from '@quickcolumn/errors';
import { interruptSignal, obeyParent, stopMessage, throwIfInterrupted } from '../interrupt.js';
import { labelLines } from '../terminal.js';
import { type Job, runStage } from './stages.js';

/** Name of the hidden command. */
export const stageCommand = 'run-stage';

/** @throws QuickcolumnError with what the child says, its label before it; `interrupted` */
export async function runInChild(job: Job): Promise<void> {
  throwIfInterrupted();
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const child = fork(main, [stageCommand], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const stop = (): void => {
    if (child.connected) child.send(stopMessage);
  };
  interruptSignal.addEventListener('abort', stop);
  try {
    const failure = await new Promise<QuickcolumnError | undefined>((done, fail) => {
      let told: QuickcolumnError | undefined;
      child.on('message', (message) => {
        told = QuickcolumnError.fromJSON(message);
      });
      child.on('error', fail);
      child.on('close', (code, signal) => {
        if (code === 0 && told === undefined) done(undefined);
        else done(told ?? new QuickcolumnError('runtime', endOf(code, signal)));
      });
      child.send(job, (error) => {
        if (error !== null) fail(error);
      });
    });
    throwIfInterrupted();
    if (failure === undefined) return;
    const { code, message, fields } = failure;
    throw new QuickcolumnError(code, `${job.label}: ${message}`, fields, { cause: failure });
  } finally {
    interruptSignal.removeEventListener('abort', stop);
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  const how = signal === null ? `ended with exit code ${code}` : `was killed (${signal})`;
  return `its process ${how}, perhaps for want of memory; run the same command again to go on`;
}

/** The child's side: waits for the job, runs it, tells what went wrong. @throws `usage` when nobody sends one */
export async function obeyAsChild(): Promise<void> {
  if (process.send === undefined)
    throw new QuickcolumnError('usage', 'this command is started by compare and cross-validate');
  obeyParent();
  const job = await new Promise<Job>((done) => {
    process.once('message', (message) => done(message as Job));
  });
  labelLines(job.label);
  try {
    await runStage(job);
  } catch (error) {
    await new Promise<void>((done) => {
      process.send?.(errorToJson(error), undefined, undefined, () => done());
    });
    process.exitCode = exitCodeOf(errorCodeOf(error));
  }
  process.removeAllListeners('disconnect');
  process.disconnect();
}
