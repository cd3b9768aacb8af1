/** Folds done of all, the time so far and what is left of it, told after every fold. */
import type { JobContext } from '../context.js';
import { formatSeconds } from '../text.js';
import { readResult } from './fold-files.js';
import type { FoldTask } from './fold-tasks.js';

export interface FoldProgress {
  finished(task: FoldTask): Promise<void>;
}

export async function followFolds(tasks: readonly FoldTask[], context: JobContext): Promise<FoldProgress> {
  const start = performance.now();
  const seconds = new Map<FoldTask, number>();
  const measure = async (task: FoldTask): Promise<void> => {
    const result = await readResult(task.folder);
    if (result === undefined) return;
    const { trainingSeconds, secondsPerScan } = result.cost;
    const training = task.system.weightsOf === undefined ? trainingSeconds : 0;
    seconds.set(task, training + secondsPerScan * result.cases.length);
  };
  for (const task of tasks) await measure(task);
  context.note(`${seconds.size} of ${tasks.length} folds done`);
  const meanOf = (some: readonly FoldTask[]): number | undefined => {
    const known = some.map((task) => seconds.get(task)).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const expected = ({ system }: FoldTask): number =>
    meanOf(tasks.filter((other) => other.system === system)) ??
    meanOf(tasks.filter((other) => (other.system.weightsOf === undefined) === (system.weightsOf === undefined))) ??
    0;
  return {
    async finished(task) {
      await measure(task);
      const left = tasks.filter((other) => !seconds.has(other)).reduce((sum, other) => sum + expected(other), 0);
      const elapsed = formatSeconds((performance.now() - start) / 1000);
      context.note(
        `${seconds.size} of ${tasks.length} folds done, ${elapsed} so far, about ${formatSeconds(left)} left`,
      );
    },
  };
}
