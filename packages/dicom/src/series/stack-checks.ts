/**
 * What the slices of a series must share before their positions mean anything: a known geometry, one size, one
 * spacing, one orientation, grey pixels. Scout views are told apart here (their image type says LOCALIZER).
 */
import type { Vector3 } from '@quickcolumn/volume';
import type { Findings } from './checks/findings.js';
import { checkRescale } from './checks/rescale.js';
import type { SeriesRepair } from './repair.js';
import type { SliceHeader } from './slice-header.js';
import { cross, dot, norm } from './vectors.js';
import { fileNames } from './short-lists.js';

/** A slice whose place is known. */
export type Positioned = SliceHeader & {
  readonly position: Vector3;
  readonly rowDirection: Vector3;
  readonly columnDirection: Vector3;
  readonly columnSpacingMm: number;
  readonly rowSpacingMm: number;
};

/** Slices of one size, spacing and orientation. */
export interface CommonFrame {
  readonly positioned: readonly Positioned[];
  readonly columns: number;
  readonly rows: number;
  readonly columnSpacingMm: number;
  readonly rowSpacingMm: number;
  readonly rowDirection: Vector3;
  readonly columnDirection: Vector3;
  readonly normal: Vector3;
}

/** Cosines are written with six digits or so. */
const directionTolerance = 1e-3;

/** The slices that a stack can be made of; undefined when a problem forbids one. */
export function slicesThatFit(
  all: readonly SliceHeader[],
  repair: SeriesRepair,
  findings: Findings,
): CommonFrame | undefined {
  const isScout = ({ imageType }: SliceHeader): boolean =>
    imageType.some((value) => value.toUpperCase() === 'LOCALIZER');
  const scouts = all.filter(isScout);
  let slices = all;
  if (scouts.length === all.length) {
    // Without them nothing would be left.
    findings.problems.push({ kind: 'localizer', message: `all ${all.length} images are scout views` });
    return undefined;
  }
  if (scouts.length > 0) {
    const text = `${scouts.length} of ${all.length} images are scout views: ${fileNames(scouts)}`;
    findings.defect('localizer', text, repair.localizer && 'left out');
    slices = all.filter((slice) => !isScout(slice));
  }
  const coloured = slices.filter(({ format }) => format.samples !== 1 || !format.photometric.startsWith('MONOCHROME'));
  if (coloured.length > 0) {
    const kinds = [...new Set(coloured.map(({ format }) => format.photometric || 'no photometric interpretation'))];
    findings.defect('color', `not grey images (${kinds.join(', ')}): ${fileNames(coloured)}`);
  }
  const inverted = slices.filter(({ format }) => format.photometric === 'MONOCHROME1');
  if (inverted.length > 0) findings.notes.push('MONOCHROME1: dark means high; values are taken as stored');
  checkRescale(slices, findings);

  // 'US' means that nobody said; other types are maps of dual-energy scanners.
  const types = new Set(slices.flatMap(({ rescaleType }) => (rescaleType === undefined ? [] : [rescaleType])));
  const strange = [...types].filter((type) => type !== 'HU' && type !== 'US');
  if (strange.length > 0)
    findings.defect('pixels', `values are ${strange.slice(0, 3).join(', ')}, not Hounsfield units`);

  const positioned = slices.filter(hasPlace);
  if (positioned.length < slices.length) {
    const lost = slices.filter((slice) => !hasPlace(slice));
    findings.defect(
      'geometry',
      `${lost.length === 1 ? '1 image has' : `${lost.length} images have`} no usable position, orientation or spacing: ${fileNames(lost)}`,
    );
  }
  if (positioned.length === 0) return undefined;
  return commonFrame(positioned, findings);
}

function hasPlace(slice: SliceHeader): slice is Positioned {
  const { position, rowDirection: row, columnDirection: column, columnSpacingMm, rowSpacingMm } = slice;
  if (position === undefined || row === undefined || column === undefined) return false;
  const isUnit = (v: Vector3): boolean => Math.abs(norm(v) - 1) < 0.01;
  const isLength = (mm: number | undefined): boolean => mm !== undefined && mm > 1e-3 && mm < 1e3;
  const isNear = position.every((mm) => Math.abs(mm) < 1e5);
  return (
    isNear &&
    isUnit(row) &&
    isUnit(column) &&
    Math.abs(dot(row, column)) < 0.01 &&
    isLength(columnSpacingMm) &&
    isLength(rowSpacingMm)
  );
}

function commonFrame(positioned: readonly Positioned[], findings: Findings): CommonFrame | undefined {
  const bySize = groupBy(positioned, ({ format }) => `${format.columns}×${format.rows}`);
  if (bySize.size > 1) findings.defect('mixed-size', `images of different sizes: ${describe(bySize)}`);
  const bySpacing = groupBy(positioned, (s) => `${s.columnSpacingMm.toFixed(4)}×${s.rowSpacingMm.toFixed(4)} mm`);
  if (bySpacing.size > 1) findings.defect('mixed-spacing', `images of different pixel spacing: ${describe(bySpacing)}`);
  const apart = (a: Vector3, b: Vector3): number => Math.max(...a.map((value, axis) => Math.abs(value - b[axis])));
  const representatives: Positioned[] = [];
  const byDirection = groupBy(positioned, (slice) => {
    let at = representatives.findIndex(
      (other) =>
        apart(slice.rowDirection, other.rowDirection) < directionTolerance &&
        apart(slice.columnDirection, other.columnDirection) < directionTolerance,
    );
    // A handful of directions is enough to refuse; more would only cost time.
    if (at < 0 && representatives.length < 8) at = representatives.push(slice) - 1;
    const cosines = at < 0 ? [] : [...representatives[at].rowDirection, ...representatives[at].columnDirection];
    return at < 0 ? 'others' : cosines.map((value) => value.toFixed(3)).join('\\');
  });
  if (byDirection.size > 1)
    findings.defect('mixed-orientation', `images of different orientations: ${describe(byDirection)}`);
  if (bySize.size > 1 || bySpacing.size > 1 || byDirection.size > 1) return undefined;
  const [{ format, columnSpacingMm, rowSpacingMm, rowDirection, columnDirection }] = positioned;
  const normal = cross(rowDirection, columnDirection);
  const length = norm(normal);
  return {
    positioned,
    columns: format.columns,
    rows: format.rows,
    columnSpacingMm,
    rowSpacingMm,
    rowDirection,
    columnDirection,
    normal: [normal[0] / length, normal[1] / length, normal[2] / length],
  };
}

function groupBy(slices: readonly Positioned[], key: (slice: Positioned) => string): Map<string, Positioned[]> {
  const groups = new Map<string, Positioned[]>();
  for (const slice of slices) {
    const name = key(slice);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [slice]);
    else group.push(slice);
  }
  return groups;
}

/** The largest group without, the others with their files. */
function describe(groups: ReadonlyMap<string, readonly Positioned[]>): string {
  const [largest, ...others] = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const rest = others.slice(0, 3).map(([name, slices]) => `${slices.length} of ${name} (${fileNames(slices)})`);
  const more = others.length > 3 ? ` and ${others.length - 3} more kinds` : '';
  return `${largest[1].length} of ${largest[0]}, ${rest.join(', ')}${more}`;
}
