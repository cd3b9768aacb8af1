/**
 * What a running job tells: plain data, so that a terminal can print it, a page draw it, a service store it, and another
 * process send it. Events inform; what a job made is its result.
 */
import type { TrainProgress } from '@quickcolumn/learn';

/** What a job is doing while it takes its time. */
export type Activity =
  | 'prepare'
  | 'read data'
  | 'predict'
  | 'evaluate'
  | 'report'
  | 'phantoms'
  | 'measure kernels'
  | 'measure steps'
  | 'measure precisions'
  | 'deidentify';

/** One line for people: a choice that was made, a warning, something left out. */
export interface NoteEvent {
  readonly kind: 'note';
  readonly text: string;
}

/** How far an activity is. */
export interface ProgressEvent {
  readonly kind: 'progress';
  readonly activity: Activity;
  /** What it is about: the name of a scan or a case. */
  readonly subject?: string;
  /** Where it is, for people: `window 3 of 18`. */
  readonly text: string;
  readonly done: number;
  readonly total: number;
}

/** The end of an activity, also where it failed. */
export interface FinishedEvent {
  readonly kind: 'finished';
  readonly activity: Activity;
  readonly subject?: string;
  /** What came of it, for people; absent where the result says it or where it failed. */
  readonly text?: string;
}

/** A step or an epoch of a training. */
export interface TrainingEvent {
  readonly kind: 'training';
  /** Names of the classes, in the order of `softDice`. */
  readonly classNames: readonly string[];
  readonly progress: TrainProgress;
}

export type JobEvent = (NoteEvent | ProgressEvent | FinishedEvent | TrainingEvent) & {
  /** Which stage of a larger job tells it: `qchc, fold-0 (1 of 3)`. Absent for the job itself. */
  readonly stage?: string;
};
