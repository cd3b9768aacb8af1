/** Fills the cache, so that trainings start at once, and tells what came out of each scan. */
import type { JobContext } from '../context.js';
import { defaultCache } from '../folders/cache-folder.js';
import type { PreparedCase, PrepareJob, PrepareJobResult } from '../jobs/prepare.js';
import { prepareCases } from './prepare-cases.js';

export async function runPreparation(
  { cases, preparation, cacheDir = defaultCache(), ...consent }: PrepareJob,
  context: JobContext,
): Promise<PrepareJobResult> {
  const prepared: PreparedCase[] = [];
  const { classes } = preparation;
  await prepareCases(
    cases,
    preparation,
    {
      cacheDir,
      consent,
      onCase: ({ undo, size, scale, mean, sd, source, labels }, { name }, seconds) => {
        const { originalSize } = undo;
        const classShares = labels && classes.map(({ value }) => shareOf(labels, value));
        prepared.push({
          name,
          originalSize,
          size,
          scale,
          mean,
          sd,
          source,
          seconds,
          ...(classShares && { classShares }),
        });
      },
    },
    context,
  );
  return { cases: prepared, cacheDir };
}

function shareOf(labels: Uint8Array, value: number): number {
  let count = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === value) count++;
  return count / labels.length;
}
