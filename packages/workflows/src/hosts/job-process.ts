/**
 * A program that runs one job and needs nothing but the library. Started by another process of ours it gets the job as a
 * message (see messages.ts). Started by anything else it reads the job as JSON from standard input and writes one line of
 * JSON for each event, then one with the result or the error:
 *
 *   node job-process.js < job.json
 *
 * The exit code is that of the error's code (`exitCodeOf`). SIGTERM, SIGINT and SIGHUP stop it at the next safe
 * point.
 */
import { text } from 'node:stream/consumers';
import { errorCodeOf, errorToJson, exitCodeOf, exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import { parseJob } from '../jobs/index.js';
import { runJob } from '../run-job.js';
import type { FromStage, ToStage } from './messages.js';

const controller = new AbortController();
const stop = (): void => controller.abort();

/** Runs it and says what came of it; never throws. */
async function answer(json: unknown, say: (message: FromStage) => Promise<void>): Promise<void> {
  try {
    const result = await runJob(parseJob(json, 'job'), {
      signal: controller.signal,
      onEvent: (event) => void say({ kind: 'event', event }),
    });
    await say({ kind: 'done', result });
  } catch (error) {
    await say({ kind: 'failed', error: errorToJson(error) });
    process.exitCode = exitCodeOf(errorCodeOf(error));
  }
}

async function answerParent(): Promise<void> {
  // Ctrl-C and a closed terminal reach the whole group; the parent passes them on.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', stop);
  process.on('disconnect', () => process.exit(exitCodes.interrupted));
  const job = await new Promise<unknown>((got) => {
    process.on('message', (message: ToStage) => {
      if (message.kind === 'run') got(message.job);
      else stop();
    });
  });
  await answer(job, (message) => new Promise((sent) => process.send?.(message, undefined, undefined, () => sent())));
  process.removeAllListeners('disconnect');
  process.disconnect();
}

async function answerPipe(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  const say = (message: FromStage): Promise<void> =>
    new Promise((written) => process.stdout.write(`${JSON.stringify(message)}\n`, () => written()));
  const input = await text(process.stdin);
  let json: unknown;
  try {
    json = JSON.parse(input);
  } catch (cause) {
    const error = new QuickcolumnError('config', `job: not JSON: ${(cause as Error).message}`, {}, { cause });
    await say({ kind: 'failed', error: error.toJSON() });
    process.exitCode = exitCodeOf(error.code);
    return;
  }
  await answer(json, say);
}

await (process.send === undefined ? answerPipe() : answerParent());
