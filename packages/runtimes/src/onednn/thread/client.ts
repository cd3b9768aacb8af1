/**
 * The main thread's side of the worker: starts it with the first request, keeps it while something is compiled, and
 * turns its replies into promises. The process may end while it is idle.
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ErrorJson, QuickcolumnError } from '@quickcolumn/errors';
import { RuntimeError } from '../../contract/errors.js';
import type { Reply, Request, RequestKind, Requests } from './messages.js';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The compiled file, also when this module runs from its source under the test runner. */
const workerUrl = (): URL =>
  new URL(
    fileURLToPath(import.meta.url).endsWith('.ts') ? '../../../dist/onednn/thread/worker.js' : './worker.js',
    import.meta.url,
  );

let worker: Worker | undefined;
let next = 1;
const waiting = new Map<number, Waiting>();

/**
 * How long an idle OpenMP thread spins before it sleeps. By default it spins so long that one other busy process makes
 * a step five times slower; this costs two percent where the machine is free. Read when the library is loaded.
 */
const spinCount = '10000';

function start(): Worker {
  if (process.env['OMP_WAIT_POLICY'] === undefined) process.env['GOMP_SPINCOUNT'] ??= spinCount;
  // Without the flags of the process, which are for its main script: --input-type keeps a worker from starting.
  const started = new Worker(workerUrl(), { execArgv: [] });
  started.unref();
  const failAll = (error: Error): void => {
    worker = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  started.on('message', ({ number, answer, error }: Reply) => {
    const one = waiting.get(number);
    waiting.delete(number);
    if (waiting.size === 0) started.unref();
    if (error === undefined) one?.resolve(answer);
    else one?.reject(errorOf(error));
  });
  started.on('error', (cause) =>
    failAll(new RuntimeError(`the onednn worker stopped: ${cause.message}`, { runtime: 'onednn' }, { cause })),
  );
  started.on('exit', (code) =>
    failAll(new RuntimeError(`the onednn worker ended with code ${code}`, { runtime: 'onednn' })),
  );
  return started;
}

/** The worker's error with its code, fields, causes and stack; one of the runtime's is of its class again. */
function errorOf(json: ErrorJson): QuickcolumnError {
  const error = QuickcolumnError.fromJSON(json);
  if (error.code !== 'runtime') return error;
  const own = new RuntimeError(error.message, { runtime: 'onednn', ...error.fields }, { cause: error.cause });
  if (error.stack !== undefined) own.stack = error.stack;
  return own;
}

export function ask<K extends RequestKind>(kind: K, what: Requests[K]['ask']): Promise<Requests[K]['answer']> {
  worker ??= start();
  const active = worker;
  const number = next++;
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve: (answer) => resolve(answer as Requests[K]['answer']), reject });
    // Alive while an answer is due.
    active.ref();
    active.postMessage({ number, kind, ask: what } satisfies Request);
  });
}
