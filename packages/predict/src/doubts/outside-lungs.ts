/**
 * Doubt about lesions far from all lung: neither near the lungs of the mask nor near air that the body encloses. What
 * fills a lung holds no air any more, so that a lesion may lie a little way from both; one in the liver, the chest wall or the
 * middle of the mediastinum lies farther. Enclosed air counts so that a lung that the mask misses is no reason for doubt here.
 */
import { distanceTransform } from '@quickcolumn/volume';
import { type LungValues, valueSet } from '@quickcolumn/measure';
import type { CoarseMask } from './coarse-mask.js';
import type { Doubt } from './doubts.js';

/**
 * Farther than so many mm from lung and enclosed air a lesion lies outside, and such a share of the lesions may: of what
 * experts drew in 12 scans nothing does (beyond 10 mm up to 0.057), of phantoms next to nothing.
 */
export const outsideLimits = { mm: 15, share: 0.05 } as const;
/** Of less than this volume of lesions a few voxels decide. */
const leastMl = 0.5;

/**
 * Share of the lesions that lies outside; null for less of them than can be judged.
 * @param lungs null where the classes have none: then enclosed air alone is looked at
 */
export function shareOutside(
  { labels, size, mm, voxelMl, air }: CoarseMask,
  lungs: LungValues | null,
  lesions: readonly number[],
): number | null {
  const isLesion = valueSet(...lesions);
  const isLung = lungs === null ? new Uint8Array(256) : valueSet(lungs.left, lungs.right);
  let all = 0;
  for (let at = 0; at < labels.length; at++) all += isLesion[labels[at]];
  if (all * voxelMl < leastMl) return null;
  const distance = distanceTransform(
    air.map((one, at) => one | isLung[labels[at]]),
    size,
    mm,
  );
  let outside = 0;
  for (let at = 0; at < labels.length; at++)
    if (isLesion[labels[at]] === 1 && distance[at] > outsideLimits.mm) outside++;
  return outside / all;
}

export function outsideDoubts(share: number | null, lesionName: string): Doubt[] {
  if (share === null || share <= outsideLimits.share) return [];
  const message =
    `${(100 * share).toFixed(0)} % of ${lesionName} lie more than ${outsideLimits.mm} mm from the lungs and from all air in the body, expected at ` +
    `most ${100 * outsideLimits.share} %; look for it in the chest wall, the mediastinum and the abdomen`;
  return [{ id: 'outside-lungs', message, value: share }];
}
