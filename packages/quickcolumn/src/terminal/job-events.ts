/** The events of a job as lines of a terminal: progress redrawn in place, in a log file a few lines a task. */
import { createProgressLine } from '@quickcolumn/learn';
import type { Activity, JobEvent, TrainingEvent } from '@quickcolumn/workflows';
import { errorScreen, note, type ProgressLine, progressLine, writeProgress } from './terminal.js';

const activityLabels: Readonly<Record<Activity, string>> = {
  prepare: 'prepare',
  'read data': 'data',
  predict: 'predict',
  evaluate: 'evaluate',
  report: 'report',
  phantoms: 'phantoms',
  'measure steps': 'timing a training step',
  'measure kernels': 'measuring kernels of the graphics card, once',
  'measure precisions': 'measuring which precision is the faster one here, once',
  deidentify: 'deidentify',
};

/** A listener for `runJob`. */
export function terminalEvents(): (event: JobEvent) => void {
  const lines = new Map<string, ProgressLine>();
  const trainings = new Map<string, (progress: TrainingEvent['progress']) => void>();
  return (event) => {
    const before = event.stage === undefined ? '' : `${event.stage}: `;
    if (event.kind === 'note') note(`${before}${event.text}`);
    else if (event.kind === 'training') {
      const known = trainings.get(before) ?? trainingLine(before, event.classNames);
      trainings.set(before, known);
      known(event.progress);
    } else {
      const label = `${before}${event.subject ?? activityLabels[event.activity]}`;
      const line = lines.get(label) ?? progressLine(label);
      lines.set(label, line);
      if (event.kind === 'progress') line.update(event.text, event.total === 0 ? 0 : event.done / event.total);
      else {
        line.end(event.text);
        lines.delete(label);
      }
    }
  };
}

function trainingLine(before: string, classNames: readonly string[]): (progress: TrainingEvent['progress']) => void {
  const { tty, columns } = errorScreen();
  const write = (text: string): void => writeProgress(before, text);
  return createProgressLine(write, { classNames, tty, columns });
}
