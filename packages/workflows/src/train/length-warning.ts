/**
 * Says once, within the first minutes of a session, that a training will take days: who waits for the first epoch of the paper's
 * profile on two cores has waited an hour and a half by then. It only listens to the steps, so it changes no number.
 *
 * The first step is left out where it can be: it waits for the first samples, and a runtime may still be preparing. Then 20 s
 * of steps are enough to tell days from hours; where the first step alone took a minute, it is.
 */
import type { StepProgress, TrainProgress, TrainSettings } from '@quickcolumn/learn';

/** Longer trainings are warned of. */
const longSeconds = 86_400;
const enoughSeconds = 20;
const longStepSeconds = 60;

/**
 * A listener for the progress of one session; calls `warn` at most once. A training that has a limit of its own
 * (`maxMinutes`) is as long as it was asked to be.
 */
export function lengthWarning(
  {
    epochs,
    stepsPerEpoch,
    maxMinutes,
    earlyStop,
  }: Pick<TrainSettings, 'epochs' | 'stepsPerEpoch' | 'maxMinutes' | 'earlyStop'>,
  warn: (text: string) => void,
): (progress: TrainProgress) => void {
  let steps = 0;
  let firstSeconds = 0;
  let decided = maxMinutes !== null;
  return (progress) => {
    if (decided || progress.kind !== 'step') return;
    steps++;
    const seconds = progress.secondsPerStep * steps;
    if (steps === 1) firstSeconds = seconds;
    const measured = seconds - firstSeconds;
    decided = steps === 1 ? firstSeconds >= longStepSeconds : measured >= enoughSeconds;
    if (!decided) return;
    const secondsPerStep = steps === 1 ? firstSeconds : measured / (steps - 1);
    const left = epochs * stepsPerEpoch - doneSteps(progress);
    if (left * secondsPerStep <= longSeconds) return;
    warn(
      `mind: this training needs about ${formatDays(left * secondsPerStep)} here (${left} steps of ` +
        `${secondsPerStep < 10 ? secondsPerStep.toPrecision(2) : Math.round(secondsPerStep)} s are left${earlyStop === null ? '' : ', unless it stops early'}). Stop it now if that is too long, ` +
        'and take the profile quick, a smaller train.patch, train.batch or network.rootFilters, fewer train.epochs, or a limit, ' +
        'train.maxMinutes',
    );
  };
}

const doneSteps = ({ epoch, step, stepsPerEpoch }: StepProgress): number => (epoch - 1) * stepsPerEpoch + step;

/** `1.4 days`, `18 days` */
function formatDays(seconds: number): string {
  const days = seconds / 86_400;
  return `${days < 10 ? days.toFixed(1) : Math.round(days)} days`;
}
