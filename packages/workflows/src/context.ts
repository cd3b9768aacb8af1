/**
 * What a job runs in. Whoever asks for a job gives a signal, a listener and a host; the job itself never writes to a
 * console, never listens to signals of the process and never starts one.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { Activity, JobEvent } from './events.js';
import type { Job, JobResult } from './jobs/index.js';

/** Runs a stage of a job where it belongs: in this process, in one of its own, on another machine. */
export interface JobHost {
  /**
   * @param job plain data; a host may send it as JSON
   * @throws QuickcolumnError as the stage threw it: same code, same fields
   */
  run<J extends Job>(job: J, options: StageOptions): Promise<JobResult<J>>;
}

export interface StageOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: JobEvent) => void;
}

/** What whoever asks for a job may give. */
export interface JobOptions {
  /** Lets the job stop at the next safe point (a window, a step, a case); it then throws `interrupted`. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: JobEvent) => void;
  /** Default: stages run in this process. */
  readonly host?: JobHost;
}

/** A running activity. */
interface Task {
  update(text: string, done: number, total: number): void;
  /** @param text what came of it; without, the activity just ends */
  end(text?: string): void;
}

export interface JobContext {
  readonly signal: AbortSignal;
  emit(event: JobEvent): void;
  note(text: string): void;
  /** @param subject the scan or case that it is about */
  begin(activity: Activity, subject?: string): Task;
  /** @throws QuickcolumnError `interrupted` after the signal */
  throwIfInterrupted(): void;
  /** Runs a stage through the host, its events marked with `label` and its errors begun with it. */
  runStage<J extends Job>(job: J, label: string): Promise<JobResult<J>>;
}

export function createContext(
  { signal = new AbortController().signal, onEvent = () => undefined }: JobOptions,
  host: JobHost,
): JobContext {
  const throwIfInterrupted = (): void => {
    if (signal.aborted) throw new QuickcolumnError('interrupted', 'interrupted');
  };
  return {
    signal,
    emit: onEvent,
    note: (text) => onEvent({ kind: 'note', text }),
    begin(activity, subject) {
      const about = { activity, ...(subject === undefined ? {} : { subject }) };
      return {
        update: (text, done, total) => onEvent({ kind: 'progress', ...about, text, done, total }),
        end: (text) => onEvent({ kind: 'finished', ...about, ...(text === undefined ? {} : { text }) }),
      };
    },
    throwIfInterrupted,
    async runStage(job, label) {
      throwIfInterrupted();
      try {
        return await host.run(job, { signal, onEvent: (event) => onEvent({ ...event, stage: label }) });
      } catch (error) {
        throwIfInterrupted();
        if (!(error instanceof QuickcolumnError)) throw error;
        throw new QuickcolumnError(error.code, `${label}: ${error.message}`, error.fields, { cause: error });
      }
    },
  };
}
