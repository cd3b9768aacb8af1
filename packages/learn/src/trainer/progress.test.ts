import { expect, it } from 'vitest';
import type { EpochRecord } from '../run-folder/history.js';
import { createProgressLine, formatDuration, type StepProgress } from './progress.js';

const training = { loss: 1.23456, crossEntropy: 0.2, tversky: 1, softDice: [0.99, 0.5, 0.25] };
const step: StepProgress = {
  kind: 'step',
  epoch: 2,
  epochs: 10,
  step: 7,
  stepsPerEpoch: 100,
  training,
  learningRate: 2.5e-4,
  secondsPerStep: 1.5,
  waitedShare: 0.021,
  etaSeconds: 3725,
};
const record: EpochRecord = {
  epoch: 2,
  steps: 200,
  learningRate: 1e-3,
  training,
  validation: { ...training, loss: 2, softDice: [1, 0.75, 0.5] },
  best: true,
  seconds: 150,
  waitedSeconds: 1,
  time: '2024-01-01T00:00:00.000Z',
};
const classNames = ['background', 'left lung', 'infection'];
const stepLine =
  'epoch 2/10 step 7/100  loss 1.2346  dice left lung 0.500, infection 0.250  rate 2.5e-4  1.50 s/step  waited 2 %  1 h 02 min left';
const epochLine =
  'epoch 2/10  loss 1.2346  validation 2.0000  dice left lung 0.750, infection 0.500  rate 1e-3  2 min 30 s  best';

it('rewrites one line on a terminal and leaves epochs standing', () => {
  let text = '';
  const report = createProgressLine((part) => (text += part), { classNames, tty: true, columns: 200 });
  report(step);
  report(step);
  report({ kind: 'epoch', epochs: 10, record });
  report({ kind: 'note', message: 'resuming after epoch 2' });
  const rewrite = '\r\u001b[K';
  expect(text).toBe(`${rewrite}${stepLine}${rewrite}${stepLine}${rewrite}${epochLine}\nresuming after epoch 2\n`);
});

it('cuts the line to the width of the terminal', () => {
  const parts: string[] = [];
  createProgressLine((part) => parts.push(part), { classNames, tty: true, columns: 40 })(step);
  expect(parts).toEqual([`\r\u001b[K${stepLine.slice(0, 39)}`]);
});

it('writes plain lines at intervals elsewhere', () => {
  let clock = 0;
  const parts: string[] = [];
  const report = createProgressLine((part) => parts.push(part), { classNames, tty: false, now: () => clock });
  for (clock = 0; clock < 70_000; clock += 10_000) report(step);
  report({ kind: 'epoch', epochs: 10, record });
  expect(parts).toEqual([...Array.from({ length: 3 }, () => `${stepLine}\n`), `${epochLine}\n`]);
});

it('formats durations', () => {
  expect([0, 59.4, 59.6, 3599.4, 3600, 90_000].map(formatDuration)).toEqual([
    '0 s',
    '59 s',
    '1 min 00 s',
    '59 min 59 s',
    '1 h 00 min',
    '25 h 00 min',
  ]);
});
