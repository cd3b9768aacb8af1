/**
 * Numbers of the header that should agree with the positions of the slices: instance numbers, slice locations, stated
 * counts and distances, thickness, patient position, reconstruction diameter. The positions decide; what contradicts
 * them is noted, because only a person can tell which of both is wrong.
 *
 * The trap: all of these are optional, and scanners differ. A check is made only where the numbers are there, and with
 * room for what scanners do: overlapping slices, other signs of the slice location, images turned before they are stored.
 */
import type { Vector3 } from '@quickcolumn/volume';
import { fileNames, shorten } from '../short-lists.js';
import type { SliceHeader } from '../slice-header.js';
import type { CommonFrame, Positioned } from '../stack-checks.js';
import { dot } from '../vectors.js';
import type { Findings } from './findings.js';

/** Slices in the order of their positions, one for each place. */
export interface OrderedSlices {
  readonly slices: readonly Positioned[];
  /** Millimetres along the normal of the planes. */
  readonly along: readonly number[];
  /** Usual distance of neighbours; undefined for a single slice. */
  readonly stepMm?: number;
}

/**
 * Instance numbers and stated counts, of every image of the series (scout views too: they are numbered with the rest).
 */
export function checkCounts(all: readonly SliceHeader[], findings: Findings): void {
  const numbers = [
    ...new Set(all.flatMap(({ facts }) => (facts.instanceNumber === undefined ? [] : [facts.instanceNumber]))),
  ].sort((a, b) => a - b);
  if (numbers.length > 1 && numbers.length === all.length) {
    const [first, last] = [numbers[0], numbers[numbers.length - 1]];
    if (first > 1) {
      findings.defect('incomplete', `instance numbers begin with ${first}; slices before it may be missing`);
    }
    if (last - first + 1 > numbers.length) {
      const gaps = numbers.slice(1).flatMap((number, i) => (number - numbers[i] > 1 ? [i] : []));
      const shown = shorten(gaps.map((i) => `${numbers[i]} and ${numbers[i + 1]}`));
      findings.defect('incomplete', `instance numbers have gaps, between ${shown}; slices may be missing`);
    }
  }
  const images = new Set(all.map(({ instanceUid, source }) => instanceUid || source.name)).size;
  const inSeries = largest(all.map(({ facts }) => facts.imagesInSeries));
  if (inSeries !== undefined && images < inSeries) {
    findings.defect('incomplete', `the files state ${inSeries} images in the series; ${images} are there`);
  }
  const acquisitions = new Map<string, SliceHeader[]>();
  for (const slice of all) {
    const name = slice.facts.acquisition.get('AcquisitionNumber') ?? '';
    const group = acquisitions.get(name);
    if (group === undefined) acquisitions.set(name, [slice]);
    else group.push(slice);
  }
  for (const [name, slices] of acquisitions) {
    const stated = largest(slices.map(({ facts }) => facts.imagesInAcquisition));
    if (stated === undefined || slices.length >= stated) continue;
    const which = name === '' ? '' : ` ${name.slice(0, 16)}`;
    findings.defect(
      'incomplete',
      `the files state ${stated} images in acquisition${which}; ${slices.length} are there`,
    );
    return;
  }
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined && value < 1e6) as number[];
  return known.length === 0 ? undefined : known.reduce((a, b) => Math.max(a, b));
}

/** Whether instance numbers, slice locations and acquisitions follow the positions. */
export function checkOrder({ slices, along, stepMm }: OrderedSlices, findings: Findings): void {
  if (stepMm === undefined || slices.length < 3) return;
  const numbers = slices.map(({ facts }) => facts.instanceNumber ?? Number.NaN);
  if (numbers.every(Number.isFinite) && new Set(numbers).size === numbers.length) {
    const strangers = outOfOrder(numbers);
    if (strangers.length > 0) {
      const files = fileNames(strangers.map((i) => slices[i]));
      findings.defect('order', `positions and instance numbers give different orders: ${files}`);
    }
  }
  const locations = slices.map(({ facts }) => facts.sliceLocationMm ?? Number.NaN);
  if (locations.every(Number.isFinite) && new Set(locations).size > 1) {
    const strangers = offTheLine(along, locations, stepMm);
    if (strangers.length > 0) {
      const files = fileNames(strangers.map((i) => slices[i]));
      findings.defect('order', `positions and slice locations disagree: ${files}`);
    } else if (slices.every(({ position }, i) => Math.abs(position[2] + locations[i]) < 0.01)) {
      findings.defect('order', 'slice locations are the heights with the other sign; head and feet may be swapped');
    }
  }
  const labels = slices.map(({ facts }) => facts.acquisition.get('AcquisitionNumber') ?? '');
  const runs = labels.filter((label, i) => i === 0 || label !== labels[i - 1]).length;
  const kinds = new Set(labels).size;
  if (runs > kinds) {
    findings.defect('order', `slices of ${kinds} acquisitions (AcquisitionNumber) lie between each other`);
  }
}

/** Indices of the fewest numbers without which the others rise, or fall. */
function outOfOrder(numbers: readonly number[]): number[] {
  const rising = longestRising(numbers);
  const falling = longestRising(numbers.map((value) => -value));
  const kept = new Set(rising.length >= falling.length ? rising : falling);
  return numbers.flatMap((_, i) => (kept.has(i) ? [] : [i]));
}

/** Indices of a longest rising subsequence (patience sorting). */
function longestRising(numbers: readonly number[]): number[] {
  const tails: number[] = [];
  const before: number[] = [];
  for (const [i, value] of numbers.entries()) {
    let [low, high] = [0, tails.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (numbers[tails[middle]] < value) low = middle + 1;
      else high = middle;
    }
    before.push(low > 0 ? tails[low - 1] : -1);
    tails[low] = i;
  }
  const indices: number[] = [];
  for (let i = tails[tails.length - 1] ?? -1; i >= 0; i = before[i]) indices.push(i);
  return indices.reverse();
}

/** Indices of locations that are not `along` with either sign and a shift, to half a slice. */
function offTheLine(along: readonly number[], locations: readonly number[], stepMm: number): number[] {
  const candidates = [1, -1].map((sign) => {
    const shifts = locations.map((location, i) => location - sign * along[i]);
    const middle = [...shifts].sort((a, b) => a - b)[shifts.length >> 1];
    return shifts.flatMap((shift, i) => (Math.abs(shift - middle) > 0.5 * stepMm ? [i] : []));
  });
  return candidates[0].length <= candidates[1].length ? candidates[0] : candidates[1];
}

/** Slice thickness, and the distance that the files state, against the distance of the positions. */
export function checkThickness({ slices, stepMm }: OrderedSlices, findings: Findings): void {
  const thicknesses = [
    ...new Set(slices.flatMap(({ thicknessMm }) => (thicknessMm === undefined ? [] : [thicknessMm]))),
  ];
  if (thicknesses.length > 1) {
    const shown = shorten(thicknesses.map((mm) => `${mm} mm`));
    findings.defect('thickness', `slices of different thickness: ${shown}`);
  }
  if (stepMm === undefined) return;
  const [thickness] = thicknesses;
  // Slices may overlap, to a tenth of their thickness; with a gap, a part of the body is in no slice.
  if (thicknesses.length === 1 && thickness > 0 && (stepMm > 1.5 * thickness || stepMm < 0.1 * thickness)) {
    findings.defect('thickness', `slices of ${thickness} mm lie ${stepMm.toFixed(2)} mm apart`);
  }
  const stated = slices[0].facts.spacingBetweenSlicesMm;
  if (stated !== undefined && Math.abs(Math.abs(stated) - stepMm) > 0.05 * stepMm) {
    findings.defect(
      'thickness',
      `the files state ${stated} mm between slices; their positions lie ${stepMm.toFixed(2)} mm apart`,
    );
  }
}

/** What all slices of one reconstruction share, and how their pixels are stored. */
export function checkProtocol(slices: readonly SliceHeader[], findings: Findings): void {
  const differs: readonly (readonly [string, (slice: SliceHeader) => unknown])[] = [
    ['convolution kernel', ({ facts }) => facts.acquisition.get('ConvolutionKernel')],
    ['tube voltage', ({ facts }) => facts.acquisition.get('KVP')],
    ['reconstruction diameter', ({ facts }) => facts.reconstructionDiameterMm],
  ];
  const names = differs.filter(([, valueOf]) => new Set(slices.map(valueOf)).size > 1).map(([name]) => name);
  if (names.length > 0) findings.defect('mixed-protocol', `within the series differ: ${names.join(', ')}`);

  const formats = new Map<string, SliceHeader[]>();
  for (const slice of slices) {
    const { bitsAllocated, bitsStored, highBit, signed } = slice.format;
    const format = `${bitsStored} of ${bitsAllocated} bits, highest bit ${highBit}, ${signed ? 'signed' : 'unsigned'}`;
    const group = formats.get(format);
    if (group === undefined) formats.set(format, [slice]);
    else group.push(slice);
  }
  if (formats.size > 1) {
    const [[usual], ...others] = [...formats].sort(([, a], [, b]) => b.length - a.length);
    const shown = shorten(others.map(([format, members]) => `${format} (${fileNames(members)})`));
    findings.defect('bits', `pixels are stored in different ways: most with ${usual}; ${shown}`);
  }
  const raised = slices.filter(({ format }) => format.highBit !== format.bitsStored - 1);
  if (raised.length > 0) {
    const [{ format }] = raised;
    const text = `highest bit ${format.highBit} for ${format.bitsStored} stored bits; values are taken from these bits`;
    findings.defect('bits', `${text}: ${fileNames(raised)}`);
  }
}

/** Directions of rows and columns that scanners store for each position (x to the left, y to posterior). */
const usualDirections: Readonly<Record<string, readonly (readonly [Vector3, Vector3])[]>> = (() => {
  const [left, right, back, front]: Vector3[] = [
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
  ];
  const upright = [left, back] as const;
  const sides = [left, right].flatMap((a) => [back, front].map((b) => [b, a] as const));
  return {
    HFS: [upright],
    HFP: [upright, [right, front]],
    FFS: [upright, [right, back]],
    FFP: [upright, [left, front], [right, front]],
    HFDL: [upright, ...sides],
    HFDR: [upright, ...sides],
    FFDL: [upright, ...sides],
    FFDR: [upright, ...sides],
  };
})();

/** The orientation against the patient position, of images that are said to be axial. */
export function checkPatientPosition(frame: CommonFrame, findings: Findings): void {
  const { positioned, rowDirection, columnDirection, normal } = frame;
  const [{ imageType, facts }] = positioned;
  if (!imageType.some((value) => value.toUpperCase() === 'AXIAL')) return;
  if (Math.abs(normal[2]) < 0.7) {
    findings.defect('patient-position', 'the image type says AXIAL, but the planes are not axial');
    return;
  }
  if (new Set(positioned.map((slice) => slice.facts.patientPosition)).size > 1) {
    findings.defect('patient-position', 'the patient position (HFS, FFS, …) differs within the series');
    return;
  }
  const usual = usualDirections[facts.patientPosition?.toUpperCase() ?? ''];
  if (usual === undefined) return;
  const agrees = usual.some(([row, column]) => dot(row, rowDirection) > 0.7 && dot(column, columnDirection) > 0.7);
  if (agrees) return;
  const cosines = [...rowDirection, ...columnDirection].map((value) => Number(value.toFixed(3)));
  findings.defect(
    'patient-position',
    `the orientation (${cosines.join('\\')}) contradicts the patient position ${facts.patientPosition}; sides may be swapped`,
  );
}

/** The pixel spacing against the diameter of the reconstruction. */
export function checkDiameter({ positioned, columns, columnSpacingMm }: CommonFrame, findings: Findings): void {
  const [{ facts }] = positioned;
  const diameter = facts.reconstructionDiameterMm;
  if (diameter === undefined || !(diameter > 0)) return;
  const extent = columns * columnSpacingMm;
  // Some scanners count the distance of the outer centres, or round the diameter to whole millimetres.
  if (Math.abs(extent - diameter) <= Math.max(0.02 * diameter, 2)) return;
  findings.defect(
    'diameter',
    `${columns} columns of ${columnSpacingMm} mm are ${extent.toFixed(1)} mm; the reconstruction diameter is ${diameter} mm`,
  );
}
