/** Doubt for members of the prediction that do not agree on a class (windows/disagreement.ts). */
import type { LabelClass } from '@quickcolumn/volume';
import type { ClassVolume } from '@quickcolumn/measure';
import type { Doubt } from './doubts.js';

/** Below this the members agree on a lesion, or on any other class, too little. Measured: see docs/doubts.md. */
export const leastAgreement = { lesion: 0.8, other: 0.9 } as const;
/** Of less than this volume a few voxels decide. */
const leastMl = 0.5;

/** @param agreement of each class, in the order of the classes; null where it was not measured */
export function agreementDoubts(
  agreement: readonly (number | null)[],
  classes: readonly LabelClass[],
  volumes: readonly ClassVolume[],
): Doubt[] {
  return classes.flatMap(({ value, name, role }, c): Doubt[] => {
    const dice = agreement[c];
    const limit = leastAgreement[role === 'lesion' ? 'lesion' : 'other'];
    if (value === 0 || dice === null || dice >= limit || volumes[c].volumeMl < leastMl) return [];
    const message =
      `predictions of the same place agree on ${name} with a Dice of ${dice.toFixed(2)}, expected at least ${limit}; ` +
      'look at its outline in every slice';
    return [{ id: 'disagreement', message, value: dice }];
  });
}
