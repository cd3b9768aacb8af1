/**
 * Runs a stage in a process of its own and waits for it (job-process.ts is the other side).
 *
 * The job goes over as JSON, its events come back as they happen, then its result or its error. A signal is passed on as a
 * message. A process whose parent is gone ends at once, so that nothing writes into a folder behind the back of the next
 * run. Ctrl-C reaches both, and the stage leaves it to its parent, so that it counts once.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { JobHost } from '../context.js';
import type { Job, JobResult } from '../jobs/index.js';
import type { FromStage, ToStage } from './messages.js';

/** The compiled file, also when this module runs from its source under the test runner. */
const program = (): string =>
  fileURLToPath(
    new URL(import.meta.url.endsWith('.ts') ? '../../dist/hosts/job-process.js' : './job-process.js', import.meta.url),
  );

/** Each stage in a child process of this one. */
export const inOwnProcess: JobHost = {
  async run<J extends Job>(job: J, { signal, onEvent }: Parameters<JobHost['run']>[1]): Promise<JobResult<J>> {
    const child = fork(program(), [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const tell = (message: ToStage): void => {
      if (child.connected) child.send(message);
    };
    const stop = (): void => tell({ kind: 'stop' });
    signal.addEventListener('abort', stop);
    try {
      return await new Promise<JobResult<J>>((done, fail) => {
        let answer: Extract<FromStage, { kind: 'done' | 'failed' }> | undefined;
        child.on('message', (message: FromStage) => {
          if (message.kind === 'event') onEvent(message.event);
          else answer = message;
        });
        child.on('error', fail);
        child.on('close', (code, killedBy) => {
          if (answer?.kind === 'done') done(answer.result as JobResult<J>);
          else fail(answer === undefined ? ended(code, killedBy) : QuickcolumnError.fromJSON(answer.error));
        });
        tell({ kind: 'run', job });
      });
    } finally {
      signal.removeEventListener('abort', stop);
    }
  },
};

/** Nothing was said: the process was killed, or the system had no memory left. */
function ended(code: number | null, killedBy: NodeJS.Signals | null): QuickcolumnError {
  const how = killedBy === null ? `ended with exit code ${code}` : `was killed (${killedBy})`;
  return new QuickcolumnError(
    'runtime',
    `its process ${how}, perhaps for want of memory; run the same job again to go on`,
    { exitCode: code, killedBy },
  );
}
