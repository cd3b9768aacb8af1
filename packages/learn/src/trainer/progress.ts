/**
 * One line that tells where a training stands: loss, per-class soft Dice, rate, waiting share, time left.
 *
 * On a terminal the line is rewritten in place; elsewhere (a log file, CI) there is one plain line every
 * `plainIntervalMs` and one per epoch. Output goes through the given `write`: the library never prints by itself.
 */
import type { EpochRecord, LossSummary } from '../run-folder/history.js';

/** After a step: running means over the epoch so far. */
export interface StepProgress {
  readonly kind: 'step';
  /** 1-based. */
  readonly epoch: number;
  readonly epochs: number;
  /** 1-based within the epoch. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly training: LossSummary;
  readonly learningRate: number;
  readonly secondsPerStep: number;
  /** Share of this session's time spent waiting for samples, 0 to 1. */
  readonly waitedShare: number;
  /** Until the last epoch or the time limit, whichever comes first. */
  readonly etaSeconds: number;
}

/** After an epoch whose checkpoint is safe on the disk. */
export interface EpochProgress {
  readonly kind: 'epoch';
  readonly epochs: number;
  readonly record: EpochRecord;
}

/** A sentence for the user, e.g. from which epoch a run resumes. */
interface NoteProgress {
  readonly kind: 'note';
  readonly message: string;
}

export type TrainProgress = StepProgress | EpochProgress | NoteProgress;

export interface ProgressLineOptions {
  /** Names of all classes in order; the background's soft Dice is not shown. */
  readonly classNames: readonly string[];
  /** Whether `write` goes to a terminal that understands carriage returns. */
  readonly tty: boolean;
  /** Width of the terminal; longer lines are cut so that rewriting works. */
  readonly columns?: number;
  /** Time between plain lines, 30 s unless given. */
  readonly plainIntervalMs?: number;
  readonly now?: () => number;
}

/** Returns an `onProgress` for `train`. */
export function createProgressLine(
  write: (text: string) => void,
  { classNames, tty, columns = 120, plainIntervalMs = 30_000, now = Date.now }: ProgressLineOptions,
): (progress: TrainProgress) => void {
  let rewritable = false;
  let lastPlain = Number.NEGATIVE_INFINITY;
  const permanent = (line: string): void => {
    write(rewritable ? `\r\u001b[K${line}\n` : `${line}\n`);
    rewritable = false;
  };
  return (progress) => {
    if (progress.kind === 'note') permanent(progress.message);
    else if (progress.kind === 'epoch') permanent(formatEpoch(progress, classNames));
    else if (tty) {
      write(`\r\u001b[K${formatStep(progress, classNames).slice(0, columns - 1)}`);
      rewritable = true;
    } else if (now() - lastPlain >= plainIntervalMs) {
      lastPlain = now();
      permanent(formatStep(progress, classNames));
    }
  };
}

function formatStep(progress: StepProgress, classNames: readonly string[]): string {
  return [
    `epoch ${progress.epoch}/${progress.epochs} step ${progress.step}/${progress.stepsPerEpoch}`,
    `loss ${progress.training.loss.toFixed(4)}`,
    formatDice(progress.training, classNames),
    `rate ${formatRate(progress.learningRate)}`,
    `${progress.secondsPerStep.toFixed(2)} s/step`,
    `waited ${(100 * progress.waitedShare).toFixed(0)} %`,
    `${formatDuration(progress.etaSeconds)} left`,
  ].join('  ');
}

function formatEpoch({ epochs, record }: EpochProgress, classNames: readonly string[]): string {
  const validation = record.validation === null ? [] : [`validation ${record.validation.loss.toFixed(4)}`];
  return [
    `epoch ${record.epoch}/${epochs}`,
    `loss ${record.training.loss.toFixed(4)}`,
    ...validation,
    formatDice(record.validation ?? record.training, classNames),
    `rate ${formatRate(record.learningRate)}`,
    formatDuration(record.seconds) + (record.best ? '  best' : ''),
  ].join('  ');
}

/** `1 h 02 min`, `3 min 20 s`, `45 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
  if (whole >= 60) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${whole} s`;
}

/** 0.0001 as `1e-4`, 0.00025 as `2.5e-4`. */
function formatRate(rate: number): string {
  return Number(rate.toPrecision(3)).toExponential();
}

function formatDice(summary: LossSummary, classNames: readonly string[]): string {
  const values = summary.softDice.slice(1).map((dice, c) => `${classNames[c + 1] ?? c + 1} ${dice.toFixed(3)}`);
  return `dice ${values.join(', ')}`;
}
