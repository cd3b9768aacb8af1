/**
 * From slices to a stack: the order of the planes, the grid they make, and everything that keeps them from making one.
 *
 * Planes are sorted by their position along the normal of the image plane, never by file name or instance number.
 * Defects are named with their files and places; a plan is made only when none is left, or those that are left are to
 * be repaired (repair.ts). Source of the geometry: PS3.3, C.7.6.2.1.1.
 * The trap: positions are decimal strings rounded by the scanner, so 'even' needs a tolerance, and it must be measured
 * against the grid as a whole: differences of neighbours look uneven where only their rounding is.
 */
import type { Affine, Size3, Vector3 } from '@quickcolumn/volume';
import { dicomLimits } from '../limits.js';
import { firstAcquisition } from './checks/acquisitions.js';
import { type Findings, newFindings, type SeriesProblem } from './checks/findings.js';
import {
  checkCounts,
  checkDiameter,
  checkOrder,
  checkPatientPosition,
  checkProtocol,
  checkThickness,
} from './checks/plausibility.js';
import type { SeriesRepair } from './repair.js';
import type { SliceHeader } from './slice-header.js';
import { type CommonFrame, type Positioned, slicesThatFit } from './stack-checks.js';
import { dot, norm, plus } from './vectors.js';
import { fileNames, placesMm, shorten } from './short-lists.js';

/** Where the voxels of one plane of the volume come from. */
export type PlaneSource =
  | { readonly kind: 'slice'; readonly slice: SliceHeader; readonly others: readonly SliceHeader[] }
  /** Planes of the volume by index, to be mixed: a·(1 − weight) + b·weight. */
  | { readonly kind: 'between'; readonly a: SliceHeader; readonly b: SliceHeader; readonly weight: number };

export interface StackPlan {
  readonly planes: readonly PlaneSource[];
  readonly size: Size3;
  /** Voxel index → RAS millimetres. */
  readonly affine: Affine;
  /** For each plane, how far its pixels are to be shifted along columns and rows; absent when not resampled. */
  readonly shifts?: readonly (readonly [number, number])[];
  /** Further slices at one place must be equal to the first. */
  readonly compareDuplicates: boolean;
}

export interface StackReport {
  readonly plan?: StackPlan;
  readonly problems: readonly SeriesProblem[];
  /** What was assumed or repaired, for people. */
  readonly notes: readonly string[];
  /** Spacing along columns, rows, normal as far as known, for lists. */
  readonly spacingMm?: Vector3;
}

/** All slices at one place along the normal. */
interface Plane {
  /** Millimetres along the normal. */
  readonly along: number;
  readonly slices: Positioned[];
}

/** Positions along the normal that are closer than this are one plane. */
const samePlaceMm = 0.01;

/** Examines the slices of one series. Never throws for what is wrong with them. */
export function planStack(slices: readonly SliceHeader[], repair: SeriesRepair = {}): StackReport {
  const findings = newFindings();
  const { problems, notes } = findings;
  checkCounts(slices, findings);
  const common = slicesThatFit(slices, repair, findings);
  if (common === undefined) return { problems, notes };
  const { positioned, normal, columnSpacingMm, rowSpacingMm } = common;
  const planes = planesOf(groupPlanes(positioned, normal), repair, findings);

  const [pixelMm, first, last] = [Math.min(columnSpacingMm, rowSpacingMm), planes[0], planes[planes.length - 1]];
  const lateral = (plane: Plane): Vector3 => plus(plane.slices[0].position, normal, -plane.along);
  const extent = last.along - first.along;
  const drift = planes.length > 1 ? plus(lateral(last), lateral(first), -1) : ([0, 0, 0] as const);
  const slope: Vector3 = planes.length > 1 ? [drift[0] / extent, drift[1] / extent, drift[2] / extent] : [0, 0, 0];
  const scattered = positioned.filter(({ position }) => {
    const along = dot(position, normal);
    const expected = plus(lateral(first), slope, along - first.along);
    return norm(plus(plus(position, normal, -along), expected, -1)) > 0.2 * pixelMm;
  });
  if (scattered.length > 0) {
    findings.defect(
      'scattered',
      `${scattered.length} slices do not lie on one line through the stack: ${fileNames(scattered)}`,
    );
  }
  const tilted = norm(drift) > 0.2 * pixelMm;
  if (tilted && scattered.length === 0) {
    const degrees = ((Math.atan(norm(slope)) * 180) / Math.PI).toFixed(2);
    const text = `the gantry was tilted: planes are shifted against each other, ${degrees}° from upright`;
    const repaired = repair.tilt === 'shear' ? 'the grid is sheared' : 'resampled upright';
    findings.defect('tilt', text, repair.tilt && repaired);
  }

  const levels = levelsOf(planes, repair, findings);
  const ordered = {
    slices: planes.map(({ slices: [slice] }) => slice),
    along: planes.map(({ along }) => along),
    ...(planes.length > 1 && levels !== undefined ? { stepMm: levels.stepMm } : {}),
  };
  checkOrder(ordered, findings);
  checkThickness(ordered, findings);
  checkPatientPosition(common, findings);
  checkDiameter(common, findings);
  checkProtocol(positioned, findings);
  const spacingMm: Vector3 = [columnSpacingMm, rowSpacingMm, levels?.stepMm ?? Number.NaN];
  if (levels === undefined || problems.length > 0) return { problems, notes, spacingMm };

  const { rowDirection, columnDirection } = common;
  const offsets = levels.along.map((along) => plus([0, 0, 0], slope, along - first.along));
  const sheared = { origin: first.slices[0].position, columns: common.columns, rows: common.rows };
  const isUpright = tilted && repair.tilt === 'resample';
  const { origin, columns, rows, shifts } = isUpright
    ? uprightFrame(common, sheared, offsets)
    : { ...sheared, shifts: undefined };
  const step = isUpright ? normal : plus(normal, slope);
  const size: Size3 = [columns, rows, levels.sources.length];
  if (columns * rows * levels.sources.length > dicomLimits.voxels) {
    findings.defect('extent', `${size.join('×')} voxels are more than ${dicomLimits.voxels}`);
    return { problems, notes, spacingMm };
  }
  const column = (direction: Vector3, mm: number): Vector3 => plus([0, 0, 0], direction, mm);
  const affine = rasAffine(
    column(rowDirection, columnSpacingMm),
    column(columnDirection, rowSpacingMm),
    column(step, levels.stepMm),
    origin,
  );
  const plan: StackPlan = {
    planes: levels.sources,
    size,
    affine,
    ...(shifts === undefined ? {} : { shifts }),
    compareDuplicates: repair.duplicates === 'identical',
  };
  return { plan, problems, notes, spacingMm };
}

interface PlaneFrame {
  readonly origin: Vector3;
  readonly columns: number;
  readonly rows: number;
  readonly shifts?: readonly (readonly [number, number])[];
}

/** A frame, along the normal, that holds every plane of a tilted stack, and where each lies in it. */
function uprightFrame(
  { rowDirection, columnDirection, columnSpacingMm, rowSpacingMm }: CommonFrame,
  { origin, columns, rows }: PlaneFrame,
  offsetsMm: readonly Vector3[],
): PlaneFrame {
  const across = offsetsMm.map((offset) => dot(offset, rowDirection) / columnSpacingMm);
  const down = offsetsMm.map((offset) => dot(offset, columnDirection) / rowSpacingMm);
  // Whole pixels are rarely exact in decimal strings.
  const limits = (shifts: readonly number[]): readonly [number, number] => [
    Math.floor(shifts.reduce((least, shift) => Math.min(least, shift), 0) + 1e-6),
    Math.ceil(shifts.reduce((most, shift) => Math.max(most, shift), 0) - 1e-6),
  ];
  const [[left, right], [top, bottom]] = [limits(across), limits(down)];
  return {
    origin: plus(plus(origin, rowDirection, left * columnSpacingMm), columnDirection, top * rowSpacingMm),
    columns: columns + right - left,
    rows: rows + bottom - top,
    shifts: across.map((shift, k) => [shift - left, down[k] - top]),
  };
}

function groupPlanes(positioned: readonly Positioned[], normal: Vector3): Plane[] {
  const along = new Map(positioned.map((slice) => [slice, dot(slice.position, normal)]));
  const place = (slice: Positioned): number => along.get(slice) ?? 0;
  const number = ({ facts }: Positioned): number => facts.instanceNumber ?? 0;
  const sorted = [...positioned].sort(
    (a, b) => place(a) - place(b) || number(a) - number(b) || (a.instanceUid < b.instanceUid ? -1 : 1),
  );
  const planes: Plane[] = [];
  for (const slice of sorted) {
    const last = planes[planes.length - 1];
    if (last !== undefined && place(slice) - last.along < samePlaceMm) last.slices.push(slice);
    else planes.push({ along: place(slice), slices: [slice] });
  }
  for (const plane of planes) plane.slices.sort((a, b) => number(a) - number(b));
  return planes;
}

/** The planes with the slices to be used; where several lie at one place, as `repair` says. */
function planesOf(planes: readonly Plane[], { duplicates }: SeriesRepair, findings: Findings): readonly Plane[] {
  const repeated = planes.filter((plane) => plane.slices.length > 1);
  if (repeated.length === 0) return planes;
  const where = placesMm(repeated.map(({ along }) => along));
  const files = fileNames(repeated.flatMap(({ slices: same }) => same));
  const isCopy = repeated.every(({ slices: [{ instanceUid, frame }, ...others] }) =>
    others.every((other) => other.instanceUid === instanceUid && other.frame === frame),
  );
  const what = isCopy ? 'copies of one image' : 'different images';
  const text = `${repeated.length} of ${planes.length} places hold more than one slice, ${what}: ${where} (${files})`;
  if (duplicates !== 'first') {
    findings.defect('duplicates', text, duplicates && 'taken if identical');
    return planes;
  }
  const chosen = firstAcquisition(planes.map(({ slices }) => slices));
  if (chosen === undefined) {
    const problem = `${text}; nothing tells which of them are one whole acquisition (AcquisitionNumber, time, phase, InstanceNumber)`;
    findings.problems.push({ kind: 'duplicates', message: problem });
    return planes;
  }
  findings.defect('duplicates', text, `the first acquisition was taken, by ${chosen.by}`);
  return planes.map(({ along, slices }, i) => {
    const first = slices.find((slice) => slice === chosen.slices[i]) ?? slices[0];
    return { along, slices: [first, ...slices.filter((slice) => slice !== first)] };
  });
}

interface Levels {
  readonly stepMm: number;
  /** Millimetres along the normal and source of every plane of the volume. */
  readonly along: readonly number[];
  readonly sources: readonly PlaneSource[];
}

/** The planes of the volume; undefined when spacing makes one impossible. Defects to be repaired become notes. */
function levelsOf(planes: readonly Plane[], repair: SeriesRepair, findings: Findings): Levels | undefined {
  const [first] = planes;
  const source = ({ slices: [slice, ...others] }: Plane): PlaneSource => ({ kind: 'slice', slice, others });
  if (planes.length === 1) {
    const thickness = first.slices[0].thicknessMm;
    if (thickness === undefined || !(thickness > 0)) {
      findings.defect('geometry', 'a single slice without a slice thickness; its third dimension is unknown');
      return undefined;
    }
    findings.notes.push(`a single slice; ${thickness} mm are its slice thickness`);
    return { stepMm: thickness, along: [first.along], sources: [source(first)] };
  }
  const gaps = planes.slice(1).map(({ along }, i) => along - planes[i].along);
  const sorted = [...gaps].sort((a, b) => a - b);
  const median = sorted[(gaps.length - 1) >> 1];
  // Positions are rounded by the scanner, to 0.1 mm at worst.
  const tolerance = Math.min(0.1 * median, 0.05 + 0.01 * median);
  const steps = gaps.map((gap) => Math.round(gap / median));
  const wide = gaps.flatMap((_, i) => (steps[i] > 1 ? [i] : []));
  const total = steps.reduce((sum, count) => sum + count, 0);
  const stepMm = (planes[planes.length - 1].along - first.along) / total;
  const index = [0];
  for (const count of steps) index.push(index[index.length - 1] + count);
  const isEven = planes.every(({ along }, i) => Math.abs(first.along + index[i] * stepMm - along) <= tolerance);
  // Some wide gaps are holes; many are another spacing.
  const isHoles = isEven && steps.every((count) => count > 0) && wide.length <= Math.max(1, 0.2 * gaps.length);

  if (!isHoles) {
    const spread = `from ${sorted[0].toFixed(3)} to ${sorted[sorted.length - 1].toFixed(3)} mm, median ${median.toFixed(3)}`;
    const odd = gaps.flatMap((gap, i) => (Math.abs(gap - median) > tolerance ? [planes[i].along] : []));
    const text = `slices are unevenly spaced: distances ${spread}; after ${placesMm(odd)}`;
    findings.defect('uneven', text, repair.uneven && `resampled to ${median.toFixed(3)} mm`);
    return repair.uneven && resampled(planes, median, source);
  }
  if (wide.length > 0) {
    const count = total + 1 - planes.length;
    if (count > dicomLimits.files) {
      findings.defect('geometry', `${count} slices seem to be missing; the positions are damaged`);
      return undefined;
    }
    const holes = wide.map((i) => `${planes[i].along.toFixed(2)} and ${planes[i + 1].along.toFixed(2)} mm`);
    const text = `${count === 1 ? '1 slice is' : `${count} slices are`} missing, between ${shorten(holes)}`;
    findings.defect('missing', text, repair.missing && 'interpolated');
    if (repair.missing === undefined) return undefined;
  }
  const sources: PlaneSource[] = [];
  for (const [i, plane] of planes.entries()) {
    sources.push(source(plane));
    for (let k = 1; k < (steps[i] ?? 1); k++) {
      sources.push({ kind: 'between', a: plane.slices[0], b: planes[i + 1].slices[0], weight: k / steps[i] });
    }
  }
  return { stepMm, along: sources.map((_, k) => first.along + k * stepMm), sources };
}

function resampled(
  planes: readonly Plane[],
  stepMm: number,
  source: (plane: Plane) => PlaneSource,
): Levels | undefined {
  const [first, last] = [planes[0], planes[planes.length - 1]];
  const count = Math.floor((last.along - first.along) / stepMm + 1e-3) + 1;
  if (count > dicomLimits.files) return undefined;
  const along = Array.from({ length: count }, (_, k) => first.along + k * stepMm);
  let below = 0;
  const sources = along.map((place): PlaneSource => {
    while (below + 2 < planes.length && planes[below + 1].along <= place) below++;
    const [a, b] = [planes[below], planes[below + 1]];
    const weight = Math.min(1, (place - a.along) / (b.along - a.along));
    if (weight < 1e-3) return source(a);
    if (weight > 1 - 1e-3) return source(b);
    return { kind: 'between', a: a.slices[0], b: b.slices[0], weight };
  });
  return { stepMm, along, sources };
}

/** Columns of the affine in LPS, turned to RAS. */
function rasAffine(x: Vector3, y: Vector3, z: Vector3, origin: Vector3): Affine {
  const row = (axis: number, sign: number): number[] => [x, y, z, origin].map((vector) => sign * vector[axis] + 0);
  return [...row(0, -1), ...row(1, -1), ...row(2, 1), 0, 0, 0, 1];
}
