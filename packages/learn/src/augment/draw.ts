import type { RandomStream } from '@quickcolumn/random';

/** A factor: uniform, except that a range around 1 is drawn half the time below 1 and half above (spec 4). */
export function drawAroundOne(random: RandomStream, [low, high]: readonly [number, number]): number {
  const below = random.chance(0.5);
  if (low >= 1 || high <= 1) return random.uniform(low, high);
  return below ? random.uniform(low, 1) : random.uniform(1, high);
}
