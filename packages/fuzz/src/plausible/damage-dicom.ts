/**
 * What happens to studies on their way: half of a copy, files that change places, slices of another patient or phase, headers
 * that another program rewrote. Each damage draws where and how much; none is larger than what was seen in practice.
 */
import type { Random } from '../mutation/random.js';
import type { StudySlice } from './study.js';

type Slices = readonly StudySlice[];

/** A damaged copy. `other` is another patient's study on a grid of the same size. */
export type StudyDamage = (slices: Slices, random: Random, other: Slices) => Slices;

/** Changes the slices that `which` chooses. */
const changed = (slices: Slices, which: (i: number) => boolean, change: (slice: StudySlice) => StudySlice): Slices =>
  slices.map((slice, i) => (which(i) ? change(slice) : slice));

/** One slice, a run of them, or all. */
function some(slices: Slices, random: Random): (i: number) => boolean {
  const extent = random.below(3);
  const first = random.below(slices.length);
  const last = first + (extent === 0 ? 0 : 1 + random.below(6));
  return (i) => extent === 2 || (i >= first && i <= last);
}

/** Fewer than all. */
function few(slices: Slices, random: Random): (i: number) => boolean {
  const first = random.below(slices.length);
  const last = first + random.below(6);
  return (i) => i >= first && i <= last;
}

const outermost = 4;
const exchanged = (slices: Slices, random: Random, keys: readonly (keyof StudySlice)[]): Slices => {
  // The outermost show little lung and are too alike.
  const a = outermost + random.below(slices.length - 2 * outermost - 1);
  const b = Math.min(slices.length - 1 - outermost, a + 1 + random.below(8));
  const take = (to: StudySlice, from: StudySlice): StudySlice => ({
    ...to,
    ...Object.fromEntries(keys.map((key) => [key, from[key]])),
  });
  return slices.map((slice, i) => (i === a ? take(slice, slices[b]) : i === b ? take(slice, slices[a]) : slice));
};

const repixelled = (slice: StudySlice, at: (i: number, j: number) => number): Uint16Array =>
  Uint16Array.from(slice.pixels, (_, pixel) => at(pixel % slice.columns, Math.floor(pixel / slice.columns)));

const flippedRows = (slice: StudySlice): StudySlice => ({
  ...slice,
  pixels: repixelled(slice, (i, j) => slice.pixels[(slice.rows - 1 - j) * slice.columns + i]),
});

const transposed = (slice: StudySlice): StudySlice => {
  const { columns, rows, pixels } = slice;
  const turned = { ...slice, columns: rows, rows: columns };
  return { ...turned, pixels: repixelled(turned, (i, j) => pixels[i * columns + j]) };
};

export const studyDamages: Readonly<Record<string, StudyDamage>> = {
  'files cut short': (slices, random) =>
    changed(slices, few(slices, random), (slice) => ({ ...slice, keep: random.below(8500) })),
  'empty files': (slices, random) => changed(slices, few(slices, random), (slice) => ({ ...slice, keep: 0 })),
  'slices lost between others': (slices, random) => {
    const lost = few(slices, random);
    return slices.filter((_, i) => i === 0 || i === slices.length - 1 || !lost(i));
  },
  'slices lost at the end': (slices, random) => slices.slice(0, slices.length - 1 - random.below(slices.length - 8)),
  'slices lost at the beginning': (slices, random) => slices.slice(1 + random.below(slices.length - 8)),
  'every second slice lost': (slices, random) => {
    const odd = random.below(2);
    const from = random.below(slices.length >> 1);
    return slices.filter((_, i) => i < from || i % 2 === odd);
  },
  'pixels exchanged': (slices, random) => exchanged(slices, random, ['pixels']),
  'positions exchanged': (slices, random) => exchanged(slices, random, ['position']),
  'instance numbers exchanged': (slices, random) => exchanged(slices, random, ['instanceNumber']),
  'files renamed': (slices, random) => exchanged(slices, random, ['file']),
  'slices of another patient in their place': (slices, random, other) => {
    const which = few(slices, random);
    const likeOurs = random.below(3);
    return slices.map((slice, i) => {
      if (!which(i)) return slice;
      const theirs = other[i];
      if (likeOurs === 0) return theirs;
      const { seriesUid, studyUid, position, orientation, spacing, instanceUid } = slice;
      const same = { ...theirs, seriesUid, studyUid, position, orientation, spacing };
      return likeOurs === 1 ? same : { ...same, instanceUid, patientId: slice.patientId };
    });
  },
  'slices of another patient among them': (slices, random, other) => {
    const which = few(slices, random);
    const added = other.filter((_, i) => which(i)).map((slice) => ({ ...slice, file: `X${slice.file}` }));
    const { seriesUid, studyUid } = slices[0];
    return [...slices, ...(random.below(2) === 0 ? added : added.map((slice) => ({ ...slice, seriesUid, studyUid })))];
  },
  'slices twice': (slices, random) => {
    const which = some(slices, random);
    const again = slices.filter((_, i) => which(i)).map((slice) => ({ ...slice, file: `X${slice.file}` }));
    const isNew = random.below(2) === 0;
    return [
      ...slices,
      ...(isNew ? again.map((slice) => ({ ...slice, instanceUid: `${slice.instanceUid}.1` })) : again),
    ];
  },
  'another phase': (slices, random) => {
    const which = some(slices, random);
    const brighter = 40 + random.below(200);
    const second = slices
      .filter((_, i) => which(i))
      .map((slice) => ({
        ...slice,
        file: `X${slice.file}`,
        instanceUid: `${slice.instanceUid}.1`,
        acquisitionNumber: 2,
        pixels: slice.pixels.map((value) => (value > 900 ? value + brighter : value)),
      }));
    return [...slices, ...second];
  },
  'no rescale': (slices, random) =>
    changed(slices, some(slices, random), (slice) => ({ ...slice, slope: undefined, intercept: undefined })),
  'no rescale slope': (slices, random) => {
    const slope = random.pick([undefined, '', '1,0', 'NaN']);
    return changed(slices, some(slices, random), (slice) => ({ ...slice, slope }));
  },
  'another intercept': (slices, random) => {
    const intercept = random.pick(['0', '-2048', '1024', '-8192', '-512']);
    return changed(slices, some(slices, random), (slice) => ({ ...slice, intercept }));
  },
  'another slope': (slices, random) => {
    const slope = random.pick(['2', '0.5', '10', '0.1', '-1', '0']);
    return changed(slices, some(slices, random), (slice) => ({ ...slice, slope }));
  },
  'unsigned as signed': (slices, random) => {
    const bitsStored = random.pick([11, 12, 16]);
    return changed(slices, some(slices, random), (slice) => ({ ...slice, isSigned: true, bitsStored }));
  },
  'fewer bits': (slices, random) => {
    const bitsStored = random.pick([8, 10, 11]);
    return changed(slices, some(slices, random), (slice) => ({ ...slice, bitsStored }));
  },
  'bytes in the other order': (slices, random) =>
    changed(slices, some(slices, random), (slice) => ({
      ...slice,
      pixels: slice.pixels.map((value) => ((value & 0xff) << 8) | (value >> 8)),
    })),
  'half of the pixels': (slices, random) => {
    const fill = random.pick([0, 65535, 1024]);
    return changed(slices, few(slices, random), (slice) => ({
      ...slice,
      pixels: slice.pixels.map((value, i) => (i < slice.pixels.length >> 1 ? value : fill)),
    }));
  },
  'positions moved along the stack': (slices, random) => {
    const mm = random.pick([-1, 1]) * (0.6 + random.next() * 30);
    const { orientation: o } = slices[0];
    const normal = [o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3]];
    return changed(slices, few(slices, random), (slice) => ({
      ...slice,
      position: [
        slice.position[0] + mm * normal[0],
        slice.position[1] + mm * normal[1],
        slice.position[2] + mm * normal[2],
      ],
    }));
  },
  'positions moved aside': (slices, random) => {
    const mm = 3 + random.next() * 40;
    return changed(slices, few(slices, random), (slice) => ({
      ...slice,
      position: [slice.position[0] + mm, slice.position[1], slice.position[2]],
    }));
  },
  'images moved': (slices, random) => {
    const by = 6 + random.below(20);
    return changed(slices, few(slices, random), (slice) => {
      const { columns, pixels } = slice;
      return { ...slice, pixels: repixelled(slice, (i, j) => pixels[j * columns + ((i + by) % columns)]) };
    });
  },
  // Programs turn whole series; a phantom's slice is too like itself turned round.
  'rows upside down': (slices) => slices.map(flippedRows),
  'rows and columns exchanged': (slices, random) => changed(slices, some(slices, random), transposed),
  'slices in the opposite order': (slices) => {
    const last = slices.length - 1;
    return slices.map((slice, i) => ({ ...slice, pixels: slices[last - i].pixels }));
  },
  'orientation permuted': (slices, random) => {
    const [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5];
    const order = random.pick([
      [d, e, f, a, b, c],
      [b, a, c, e, d, f],
      [c, b, a, f, e, d],
      [a, c, b, d, f, e],
    ]);
    return changed(slices, some(slices, random), (slice) => ({
      ...slice,
      orientation: order.map((from) => slice.orientation[from]),
    }));
  },
  'orientation upside down': (slices, random) =>
    changed(slices, some(slices, random), (slice) => ({
      ...slice,
      orientation: slice.orientation.map((value, i) => (i < 3 ? value : -value)),
    })),
  'spacing in other units': (slices, random) => {
    const factor = random.pick([10, 0.1, 25.4, 1 / 25.4, 0.001]);
    return changed(slices, some(slices, random), (slice) => ({
      ...slice,
      spacing: [slice.spacing[0] * factor, slice.spacing[1] * factor],
    }));
  },
  'positions in other units': (slices, random) => {
    const factor = random.pick([10, 0.1, 25.4, 0.001]);
    return changed(slices, some(slices, random), (slice) => ({
      ...slice,
      position: [slice.position[0] * factor, slice.position[1] * factor, slice.position[2] * factor],
    }));
  },
  'another modality': (slices, random) =>
    changed(slices, some(slices, random), (slice) => ({ ...slice, modality: random.pick(['MR', 'PT', '']) })),
};
