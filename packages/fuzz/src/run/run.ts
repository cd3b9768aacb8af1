/**
 * A run of the fuzzer: cases in a process of their own, watched from here. A case that takes longer than ten seconds is a
 * hang: its process is killed and a new one goes on behind it. So is a process that dies.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { WorkerMessage, WorkerTask } from './messages.js';

/** Longest time for one case. */
const hangSeconds = 10;
/** Loading packages and seeds, before the first case. */
const startSeconds = 60;

/** One input that broke a promise; `index` and the run's seed make it again. */
export interface Finding {
  readonly index: number;
  readonly seedName: string;
  readonly problem: string;
}

export interface FuzzReport {
  readonly reader: string;
  readonly count: number;
  readonly seconds: number;
  /** `read`, and the codes of the errors, with their numbers. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  readonly slowestMilliseconds: number;
  readonly peakBytes: number;
}

export interface RunOptions {
  readonly seed: number;
  readonly count: number;
  /** First case; default 0. */
  readonly from?: number;
  readonly onProgress?: (done: number) => void;
}

/** Runs cases `from` to `from + count`. Throws Error when the worker cannot start at all. */
export async function runFuzz(reader: string, options: RunOptions): Promise<FuzzReport> {
  const { seed, count, from = 0, onProgress } = options;
  const start = performance.now();
  const outcomes: Record<string, number> = {};
  const findings: Finding[] = [];
  let slowestMilliseconds = 0;
  let peakBytes = 0;
  const to = from + count;
  for (let next = from; next < to; ) {
    const ended = await runWorker({ reader, seed, from: next, to }, (message) => {
      if ('peakBytes' in message) peakBytes = Math.max(peakBytes, message.peakBytes);
      if (!('index' in message)) return;
      const { index, code, finding, milliseconds, seedName } = message;
      outcomes[code] = (outcomes[code] ?? 0) + 1;
      slowestMilliseconds = Math.max(slowestMilliseconds, milliseconds);
      if (finding !== undefined) findings.push({ index, seedName, problem: finding });
      if (index % 1000 === 0) onProgress?.(index - from);
    });
    if (ended === undefined) break;
    findings.push({ index: ended.index, seedName: '', problem: ended.problem });
    next = ended.index + 1;
  }
  const seconds = (performance.now() - start) / 1000;
  return { reader, count, seconds, outcomes, findings, slowestMilliseconds, peakBytes };
}

/** Resolves to undefined when all cases are done, else to the case at which the worker died or hung. */
async function runWorker(
  task: WorkerTask,
  onMessage: (message: WorkerMessage) => void,
): Promise<{ index: number; problem: string } | undefined> {
  // Built code: under vitest this file runs from src.
  const worker = fileURLToPath(new URL('../../dist/run/worker.js', import.meta.url));
  const child = fork(worker, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
  return await new Promise((resolve, reject) => {
    let current: number | undefined;
    let problem: string | undefined;
    let finished = false;
    let errors = '';
    let timer: NodeJS.Timeout | undefined;
    const watch = (seconds: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        problem = `no result after ${seconds} s`;
        child.kill('SIGKILL');
      }, seconds * 1000);
    };
    watch(startSeconds);
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.on('message', (message: WorkerMessage) => {
      if ('begins' in message) {
        current = message.begins;
        watch(hangSeconds);
      }
      if ('done' in message) finished = true;
      if ('failed' in message) errors = message.failed;
      onMessage(message);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (finished) return resolve(undefined);
      const ended = problem ?? `the process ended with ${signal ?? code}: ${errors.trim()}`;
      if (current === undefined) return reject(new Error(ended));
      return resolve({ index: current, problem: ended });
    });
    child.send(task);
  });
}
