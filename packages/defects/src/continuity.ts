/**
 * Whether the slices of a scan follow each other as those of one body do. Anatomy changes slowly from slice to slice, so
 * that a slice is unlike both neighbours while these are alike, that slices fit better in another order, or that the image
 * jumps is what can be seen of swapped files, of another scan's slices, of another rescale, of half a copy.
 *
 * Slices are compared as means of blocks, which keeps anatomy and loses most of the noise. The stored order counts: slices
 * along the third axis.
 */
import type { Volume } from '@quickcolumn/volume';
import type { Defect } from './judge.js';

/** Blocks along the longer side of a slice. */
const blocksAcross = 48;
/** Metal and padding would hide everything else. */
const [leastValue, mostValue] = [-1024, 1500];
/** Steps between slices below this share of the scan's contrast are noise. */
const noiseShare = 0.015;
/** A slice is odd when its neighbours differ by less than this share of what it differs from them. */
const oddShare = 0.6;
/** Slices are out of order when another order of a few makes the steps where they meet this much shorter. */
const orderShare = 0.72;
/** Slices that are moved at most. */
const longestMove = 8;
/** A jump is this many times the usual step nearby, and at least this share of the contrast. */
const jumpFactor = 5;
const jumpShare = 0.05;
/** A slice with less than this share of the contrast shows too little of a body: beside a table everything jumps. */
const bodyShare = 0.8;
/** Fewer slices tell nothing. */
const fewestSlices = 6;
/** So many of a kind are named. */
const named = 3;

/** Finds breaks between the slices of a scan; the scale of its values does not matter. One pass over the voxels. */
export function continuityDefects(scan: Volume): Defect[] {
  const slices = scan.size[2];
  if (slices < fewestSlices) return [];
  const view = coarseView(scan);
  const found: Defect[] = [];
  const seen = new Set<number>();
  const tell = (places: readonly number[], what: (k: number) => string): void => {
    const fresh = places.filter((k) => ![k - 2, k - 1, k, k + 1, k + 2].some((near) => seen.has(near)));
    if (fresh.length === 0) return;
    for (const k of fresh) seen.add(k);
    const more = fresh.length > named ? ` and ${fresh.length - named} more such places` : '';
    found.push({ kind: 'discontinuity', message: `${fresh.slice(0, named).map(what).join(', ')}${more}` });
  };
  tell(equalSlices(view), (k) => `slices ${k + 1} and ${k + 2} of ${slices} are the same image`);
  tell(oddSlices(view), (k) => `slice ${k + 1} of ${slices} is unlike its neighbours`);
  tell(disorder(view), (k) => `slices from ${k + 1} of ${slices} on are not in the order of the body`);
  tell(jumps(view), (k) => `the image jumps between slices ${k + 1} and ${k + 2} of ${slices}`);
  return found;
}

interface CoarseView {
  readonly slices: number;
  /** Mean absolute difference of two slices, in the unit of the voxels. */
  readonly apart: (a: number, b: number) => number;
  /** Mean absolute deviation of all blocks from their mean, and of each slice's. */
  readonly contrast: number;
  readonly contrastOf: readonly number[];
}

function equalSlices({ slices, apart, contrastOf }: CoarseView): number[] {
  // Slices of one value are padding.
  return upTo(slices - 1).filter((k) => apart(k, k + 1) === 0 && contrastOf[k] > 0);
}

function oddSlices({ slices, apart, contrast }: CoarseView): number[] {
  return upTo(slices - 2)
    .map((k) => k + 1)
    .filter((k) => {
      const least = Math.min(apart(k - 1, k), apart(k, k + 1));
      return least > noiseShare * contrast && apart(k - 1, k + 1) < oddShare * least;
    });
}

/** First slices of runs that fit better turned round, behind the run that follows, or with two slices exchanged. */
function disorder({ slices, apart, contrast }: CoarseView): number[] {
  const better = (given: number, other: number): boolean =>
    given > 2 * noiseShare * contrast && other < orderShare * given;
  return upTo(slices - 3)
    .map((k) => k + 1)
    .filter((first) =>
      upTo(longestMove).some((more) => {
        const last = first + more + 1;
        if (last + 1 >= slices) return false;
        const [before, after] = [first - 1, last + 1];
        const rim = apart(before, first) + apart(last, after);
        if (better(rim, apart(before, last) + apart(first, after))) return true;
        const exchanged = apart(before, last) + apart(first, after);
        const inside = apart(first, first + 1) + apart(last - 1, last);
        if (more > 0 && better(rim + inside, exchanged + apart(last, first + 1) + apart(last - 1, first))) return true;
        return upTo(last - first).some((cut) => {
          const second = first + cut + 1;
          const given = rim + apart(second - 1, second);
          return better(given, apart(before, second) + apart(last, first) + apart(second - 1, after));
        });
      }),
    );
}

function jumps({ slices, apart, contrast, contrastOf }: CoarseView): number[] {
  const steps = upTo(slices - 1).map((k) => apart(k, k + 1));
  return upTo(slices - 1).filter((k) => {
    const around = steps.slice(Math.max(0, k - 8), k + 9).sort((a, b) => a - b);
    const usual = around[around.length >> 1];
    const isBody = Math.min(contrastOf[k], contrastOf[k + 1]) > bodyShare * contrast;
    return isBody && steps[k] > Math.max(jumpShare * contrast, jumpFactor * usual);
  });
}

function coarseView({ voxels, size: [columns, rows, slices] }: Volume): CoarseView {
  const edge = Math.max(1, Math.floor(Math.max(columns, rows) / blocksAcross));
  const [across, down] = [Math.ceil(columns / edge), Math.ceil(rows / edge)];
  const blocks = across * down;
  const means = new Float64Array(blocks * slices);
  for (let k = 0, at = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      const row = k * blocks + Math.floor(j / edge) * across;
      for (let i = 0; i < columns; i++, at++) {
        means[row + Math.floor(i / edge)] += Math.min(mostValue, Math.max(leastValue, voxels[at]));
      }
    }
  }
  const inBlock = (block: number): number => {
    const [i, j] = [(block % across) * edge, Math.floor(block / across) * edge];
    return Math.min(edge, columns - i) * Math.min(edge, rows - j);
  };
  const counts = upTo(blocks).map(inBlock);
  for (let at = 0; at < means.length; at++) means[at] /= counts[at % blocks];
  const known = new Map<number, number>();
  return {
    slices,
    apart: (a, b) => {
      const key = a < b ? a * slices + b : b * slices + a;
      let mean = known.get(key);
      if (mean === undefined) {
        let sum = 0;
        for (let i = 0; i < blocks; i++) sum += Math.abs(means[a * blocks + i] - means[b * blocks + i]);
        mean = sum / blocks;
        known.set(key, mean);
      }
      return mean;
    },
    contrast: deviation(means),
    contrastOf: upTo(slices).map((k) => deviation(means.subarray(k * blocks, (k + 1) * blocks))),
  };
}

function deviation(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let total = 0;
  for (const value of values) total += Math.abs(value - mean);
  return total / values.length;
}

const upTo = (count: number): number[] => Array.from({ length: Math.max(0, count) }, (_, i) => i);
