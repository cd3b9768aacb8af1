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
const blocksAcross = 32;
/** Metal and padding would hide everything else. */
const [leastValue, mostValue] = [-1024, 1500];
/** Steps between slices below this share of the scan's contrast are noise. */
const noiseShare = 0.015;
/**
 * A slice, or a run, is odd when its neighbours differ by less than this share of what it differs from them. Of 13 real scans
 * the least is 1.4 for a slice and 1.8 for a run.
 */
const oddShare = { slice: 0.75, run: 0.5 } as const;
/**
 * Slices are out of order when another order of a few makes the steps where they meet this much shorter: a run, or two that
 * are exchanged. At an end of the scan, one side alone must tell more clearly.
 */
const orderShare = { inner: { two: 0.85, run: 0.72 }, end: { two: 0.65, run: 0.5 } } as const;
/** Slices that are looked at together at most. */
const longestRun = 9;
/**
 * A jump is this many times the usual step nearby, or what two steps on either side change, and at least this share of the
 * contrast. The largest of 13 real scans of 0.7 to 8 mm a slice are 1.8 and 0.89.
 */
const jumpFactor = 2.6;
const twoStepShare = 1.15;
const aboveMedian = 0.35;
const jumpShare = 0.05;
/** Share of a slice that is one value at its end, beyond what is usual in the scan. */
const unfinishedShare = 0.4;
/** Metal is brighter, but never so much of a slice. */
const [brightHu, brightShare] = [4000, 0.1];
/** A slice with less than this share of the contrast shows too little of a body: beside a table everything jumps. */
const bodyShare = 0.8;
/** Fewer or smaller slices tell nothing. */
const [fewestSlices, fewestPixels] = [10, 16];
/** So many are named. */
const named = 3;

/** Finds breaks between the slices of a scan, whatever the scale of its values. */
export function continuityDefects(scan: Volume): Defect[] {
  const [columns, rows, slices] = scan.size;
  if (slices < fewestSlices || Math.min(columns, rows) < fewestPixels) return [];
  const view = coarseView(scan);
  const told: Break[] = [];
  const searches = [emptySlices, brightSlices, equalSlices, oddSlices, disorder, oddRuns, jumps];
  for (const found of [...unfinishedSlices(scan), ...searches.flatMap((search) => search(view))]) {
    const isNear = told.some(({ first, last }) => found.first <= last + 2 && found.last >= first - 2);
    if (!isNear) told.push(found);
  }
  if (told.length === 0) return [];
  const more = told.length > named ? ` and ${told.length - named} more breaks` : '';
  const text = told.slice(0, named).map((found) => found.text);
  return [{ kind: 'discontinuity', message: `of ${view.slices} slices, ${text.join(', ')}${more}` }];
}

/** Slices from 0, and what is odd about them. */
interface Break {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

interface CoarseView {
  readonly slices: number;
  /** Mean absolute difference of two slices, in the unit of the voxels. */
  readonly apart: (a: number, b: number) => number;
  /** Mean absolute deviation of all blocks from their mean, and of each slice's. */
  readonly contrast: number;
  readonly contrastOf: readonly number[];
  readonly facts: readonly SliceFacts[];
}

interface SliceFacts {
  readonly min: number;
  readonly max: number;
  /** Share of its voxels that are brighter than any tissue. */
  readonly bright: number;
}

/** Slices that end in one value, as half a copy does, where the others do not; those that are one value are padding. */
function unfinishedSlices({ voxels, size: [columns, rows, slices] }: Volume): Break[] {
  const plane = columns * rows;
  const runs = upTo(slices).map((k) => {
    const end = (k + 1) * plane - 1;
    let at = end;
    while (at > k * plane && voxels[at - 1] === voxels[end]) at--;
    return (end + 1 - at) / plane;
  });
  const usual = median(runs);
  return upTo(slices)
    .filter((k) => runs[k] > usual + unfinishedShare && runs[k] < 1)
    .map((k) => ({ first: k, last: k, text: `${k + 1} ends in ${(100 * runs[k]).toFixed(0)} % of one value` }));
}

function equalSlices({ slices, apart, contrastOf }: CoarseView): Break[] {
  const steps = upTo(slices - 1).map((k) => apart(k, k + 1));
  // An object that is the same all along, made by a program.
  if (median(steps) === 0) return [];
  // Slices of one value are padding.
  return upTo(slices - 1)
    .filter((k) => steps[k] === 0 && contrastOf[k] > 0)
    .map((k) => ({ first: k, last: k + 1, text: `${k + 1} and ${k + 2} are the same image` }));
}

/** Slices of one value that is not the darkest of the scan, as padding is: where a copy ended. */
function emptySlices({ facts }: CoarseView): Break[] {
  const darkest = facts.reduce((least, { min }) => Math.min(least, min), Number.POSITIVE_INFINITY);
  return facts.flatMap(({ min, max }, k) =>
    min === max && min > darkest ? [{ first: k, last: k, text: `${k + 1} shows nothing but ${min}` }] : [],
  );
}

/** Slices of which much is brighter than any tissue or bone: bytes in the other order, bits that are none of the value. */
function brightSlices({ facts }: CoarseView): Break[] {
  return facts.flatMap(({ bright }, k) => {
    const text = `${k + 1} is above ${brightHu} HU in ${(100 * bright).toFixed(0)} % of it`;
    return bright > brightShare ? [{ first: k, last: k, text }] : [];
  });
}

const oddSlices = (view: CoarseView): Break[] => oddRuns(view, 1, 1, oddShare.slice);

/** Runs whose neighbours on both sides are like each other and not like the run. */
function oddRuns(
  { slices, apart, contrast }: CoarseView,
  shortest = 2,
  longest = longestRun,
  share: number = oddShare.run,
): Break[] {
  return upTo(longest - shortest + 1).flatMap((more) =>
    upTo(slices - 1 - shortest - more).flatMap((before): Break[] => {
      const [first, last, after] = [before + 1, before + shortest + more, before + 1 + shortest + more];
      const least = Math.min(apart(before, first), apart(last, after));
      const isOdd = least > noiseShare * contrast && apart(before, after) < share * least;
      const text =
        first === last
          ? `${first + 1} is unlike its neighbours`
          : `${first + 1} to ${last + 1} are unlike their neighbours`;
      return isOdd ? [{ first, last, text }] : [];
    }),
  );
}

/** Runs that fit better turned round, with first and last exchanged, or cut and put together the other way round. */
function disorder({ slices, apart: apartWithin, contrast }: CoarseView): Break[] {
  // Beyond the ends nothing has to fit.
  const apart = (a: number, b: number): number =>
    Math.min(a, b) < 0 || Math.max(a, b) >= slices ? 0 : apartWithin(a, b);
  const better = (given: number, other: number, share: number): boolean =>
    given > 2 * noiseShare * contrast && other < share * given;
  const isBetter = (first: number, last: number): boolean => {
    const [before, after] = [first - 1, last + 1];
    const shares = before < 0 || after >= slices ? orderShare.end : orderShare.inner;
    const rim = apart(before, first) + apart(last, after);
    const turnedRim = apart(before, last) + apart(first, after);
    const turned = better(rim, turnedRim, last <= first + 2 ? shares.two : shares.run);
    const inner = last > first + 2 ? apart(first, first + 1) + apart(last - 1, last) : 0;
    const exchangedInner = apart(last, first + 1) + apart(last - 1, first);
    const exchanged = inner > 0 && better(rim + inner, turnedRim + exchangedInner, shares.two);
    const cut = upTo(last - first).some((more) => {
      const second = first + more + 1;
      const given = rim + apart(second - 1, second);
      return better(given, apart(before, second) + apart(last, first) + apart(second - 1, after), shares.run);
    });
    return turned || exchanged || cut;
  };
  return upTo(longestRun - 1).flatMap((more) =>
    upTo(slices - 1 - more)
      .map((first): Break => {
        const last = first + 1 + more;
        return { first, last, text: `${first + 1} to ${last + 1} are not in the order of the body` };
      })
      .filter(({ first, last }) => isBetter(first, last)),
  );
}

function jumps({ slices, apart, contrast, contrastOf }: CoarseView): Break[] {
  const steps = upTo(slices - 1).map((k) => apart(k, k + 1));
  const ofTwo = steps.map((step, k) => {
    const isInner = k >= 2 && k + 3 < slices;
    return isInner ? step / Math.max(apart(k - 2, k), apart(k + 1, k + 3), noiseShare * contrast) : 0;
  });
  // Where all is noise, two steps change no more than one.
  const leastOfTwo = Math.max(twoStepShare, median(ofTwo) + aboveMedian);
  return upTo(slices - 1)
    .filter((k) => {
      const usual = median(steps.slice(Math.max(0, k - 8), k + 9));
      const isBody = Math.min(contrastOf[k], contrastOf[k + 1]) > bodyShare * contrast;
      const isJump = steps[k] > jumpFactor * usual || ofTwo[k] > leastOfTwo;
      return isBody && isJump && steps[k] > jumpShare * contrast;
    })
    .map((k) => ({ first: k, last: k + 1, text: `the image jumps between ${k + 1} and ${k + 2}` }));
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

function coarseView({ voxels, size: [columns, rows, slices] }: Volume): CoarseView {
  const edge = Math.max(1, Math.floor(Math.max(columns, rows) / blocksAcross));
  const [across, down] = [Math.ceil(columns / edge), Math.ceil(rows / edge)];
  const blocks = across * down;
  const means = new Float64Array(blocks * slices);
  const blockOf = Int32Array.from({ length: columns }, (_, i) => Math.floor(i / edge));
  const facts: SliceFacts[] = [];
  for (let k = 0, at = 0; k < slices; k++) {
    let [min, max, bright] = [voxels[at], voxels[at], 0];
    for (let j = 0; j < rows; j++) {
      const row = k * blocks + Math.floor(j / edge) * across;
      for (let i = 0; i < columns; i++, at++) {
        const value = voxels[at];
        if (value < min) min = value;
        if (value > max) max = value;
        if (value > brightHu) bright++;
        means[row + blockOf[i]] += value < leastValue ? leastValue : value > mostValue ? mostValue : value;
      }
    }
    facts.push({ min, max, bright: bright / (columns * rows) });
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
    facts,
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
