/**
 * Writes phantoms as NIfTI cases in the layout of the other data sets: DIR/ct/NAME.nii.gz and DIR/labels/NAME.nii.gz.
 * Case number n depends on the seed and n alone, so a longer run repeats the cases of a shorter one.
 */
import { join } from 'node:path';
import { FileError, writeVolume, makeFolder } from '@quickcolumn/io';
import { QuickcolumnError } from '@quickcolumn/errors';
import { generatePhantom, type PhantomOptions } from './phantom.js';
import { mixSeed } from './random.js';

export interface WritePhantomOptions extends Omit<PhantomOptions, 'seed'> {
  /** Overwrite cases that are there already; default false. */
  readonly force?: boolean;
  /** Called after each case with the number written and the total. */
  readonly onCase?: (done: number, total: number) => void;
}

export interface PhantomCase {
  readonly name: string;
  readonly imagePath: string;
  readonly labelPath: string;
}

/** Seed of a run's case number `index` (from 0). */
export function phantomCaseSeed(seed: number, index: number): number {
  return mixSeed(seed, index);
}

/**
 * Writes `count` cases phantom_0001, phantom_0002, … (image int16 HU, labels uint8) and returns their paths.
 * @throws QuickcolumnError `phantom` for a wrong count or seed; whatever writeVolume throws for an unwritable folder or
 * an existing file without `force`
 */
export async function writePhantomCases(
  dir: string,
  count: number,
  seed: number,
  options: WritePhantomOptions = {},
): Promise<readonly PhantomCase[]> {
  if (!(Number.isInteger(count) && count > 0)) {
    throw new QuickcolumnError('phantom', `phantom: count is ${count}; expected a whole number of at least 1`, {
      count,
    });
  }
  if (!Number.isSafeInteger(seed)) {
    throw new QuickcolumnError('phantom', `phantom: seed is ${seed}; expected a whole number`, { seed });
  }
  const { force = false, onCase, ...shape } = options;
  for (const folder of [join(dir, 'ct'), join(dir, 'labels')]) {
    await makeFolder(folder).catch((cause: unknown) => {
      throw new FileError(folder, 'write', cause);
    });
  }
  const cases: PhantomCase[] = [];
  for (let index = 0; index < count; index++) {
    const name = `phantom_${String(index + 1).padStart(4, '0')}`;
    const imagePath = join(dir, 'ct', `${name}.nii.gz`);
    const labelPath = join(dir, 'labels', `${name}.nii.gz`);
    const phantom = generatePhantom({ ...shape, seed: phantomCaseSeed(seed, index) });
    await writeVolume(imagePath, phantom.image, { force, description: 'quickcolumn phantom, HU' });
    await writeVolume(labelPath, phantom.labels, { force, description: 'quickcolumn phantom, labels' });
    cases.push({ name, imagePath, labelPath });
    onCase?.(index + 1, count);
  }
  return cases;
}
