/**
 * Where the voxels of a NRRD file are: from its space, directions, spacings and origin to an affine in RAS millimetres.
 *
 * Spaces without anatomy (`scanner-xyz`, `3D-right-handed`, a bare `space dimension`) do not say where the patient's
 * left is, so they are refused. A file with spacings alone has no orientation at all; ITK takes its axes to run to left,
 * posterior and superior, others do not: it is refused unless the user assumes something.
 */
import { type Affine, spacingMm } from '@quickcolumn/volume';
import {
  type Assumed,
  assumeOrientation,
  assumeUnits,
  type HeaderAssumptions,
  orientationOption,
  unitsOption,
} from '../headers/assumptions.js';
import { affineProblem } from '../headers/affine-check.js';
import { NrrdError } from './error.js';
import { quoted } from '../headers/text-header.js';

/** The fields that place voxels, as written; undefined where the header lacks them. */
export interface NrrdOrientation {
  readonly space: string | undefined;
  readonly spaceDimension: string | undefined;
  readonly spaceUnits: string | undefined;
  readonly spaceOrigin: string | undefined;
  /** `axis mins`: a place without a space to be in. */
  readonly axisMins: string | undefined;
  /** One entry for each of the three axes that are kept; undefined for `none`. */
  readonly directions: readonly (readonly number[] | undefined)[] | undefined;
  /** One entry for each of the three axes that are kept. */
  readonly spacings: readonly string[] | undefined;
}

/** Signs that turn a space's axes into right, anterior, superior. */
type Signs = readonly [number, number, number];
const lps: Signs = [-1, -1, 1];
// Maps, not objects: a file may name a space `constructor`.
const spaces: ReadonlyMap<string, Signs> = new Map<string, Signs>([
  ['right-anterior-superior', [1, 1, 1]],
  ['ras', [1, 1, 1]],
  ['left-anterior-superior', [-1, 1, 1]],
  ['las', [-1, 1, 1]],
  ['left-posterior-superior', lps],
  ['lps', lps],
]);

/** Where a header places the voxels: its own fields as numbers, and the affine that they mean, voxel index to RAS millimetres. */
export interface NrrdGeometry {
  readonly affine: Affine;
  readonly space?: string;
  readonly spaceUnits?: string;
  readonly spaceOrigin?: readonly number[];
  /** One vector an axis; without them `spacings`. */
  readonly spaceDirections?: readonly (readonly number[])[];
  readonly spacings?: readonly number[];
}

/** Checks the fields and makes the affine. Throws NrrdError naming `name` and the field. */
export function nrrdGeometry(
  orientation: NrrdOrientation,
  name: string,
  assume: HeaderAssumptions = {},
): { readonly geometry: NrrdGeometry; readonly notes: readonly string[] } {
  const { space, directions, spacings, spaceUnits } = orientation;
  const known = space === undefined ? undefined : spaces.get(space.toLowerCase());
  if (space !== undefined && known === undefined) {
    const expected = 'expected left-posterior-superior, right-anterior-superior or left-anterior-superior';
    throw new NrrdError(name, 'space', `${quoted(space)} does not say where the patient's left is; ${expected}`);
  }
  if (directions !== undefined && known === undefined) {
    throw new NrrdError(name, 'space', "is missing: 'space directions' alone do not say where the patient's left is");
  }
  if (known === undefined && orientation.spaceDimension !== undefined) {
    throw new NrrdError(name, 'space dimension', 'without an anatomical space; write space: left-posterior-superior');
  }
  const [sx, sy, sz] = known ?? lps;
  const assumed = known === undefined ? assume.orientation : undefined;
  if (directions === undefined && /\d/.test(orientation.axisMins ?? '')) {
    throw new NrrdError(name, 'axis mins', 'without space directions; write space, space directions and space origin');
  }
  const placed =
    directions === undefined
      ? { spacings: parseSpacings(spacings, name) }
      : { spaceDirections: presentDirections(directions, name) };
  const columns = placed.spaceDirections ?? placed.spacings.map((value, axis) => onAxis(value, axis));
  const spaceOrigin = parseOrigin(orientation.spaceOrigin, name);
  const origin = spaceOrigin ?? [0, 0, 0];
  const row = (axis: number, sign: number): number[] =>
    // `+ 0` keeps −0 out of headers.
    [...columns.map((column) => column[axis] * sign + 0), origin[axis] * sign + 0];
  const stated = [...row(0, sx), ...row(1, sy), ...row(2, sz), 0, 0, 0, 1];
  const problem = affineProblem(stated);
  if (problem !== undefined) {
    throw new NrrdError(name, directions === undefined ? 'spacings' : 'space directions', problem);
  }
  if (known === undefined && assumed === undefined) {
    const silent = "is missing: spacings alone do not say where the patient's left is";
    throw new NrrdError(name, 'space', silent, orientationOption);
  }
  const place = assumed === undefined ? { affine: stated, notes: [] } : assumeOrientation(assumed, spacingMm(stated));
  const inMm = isMillimetres(spaceUnits)
    ? { ...place, notes: [] }
    : inAssumedUnits(place.affine, spaceUnits, name, assume);
  const notes = [...place.notes, ...inMm.notes];
  if (notes.length > 0) return { geometry: geometryOf(inMm.affine), notes };
  const geometry = {
    affine: stated,
    ...placed,
    ...(space !== undefined && { space }),
    ...(spaceUnits !== undefined && { spaceUnits }),
    ...(spaceOrigin !== undefined && { spaceOrigin }),
  };
  return { geometry, notes };
}

/** The fields of an affine. Every finite one has them: NRRD's axes need not be at right angles, the text of a number is exact. */
export function geometryOf(affine: Affine): NrrdGeometry {
  // `+ 0` keeps −0 out of headers.
  const column = (at: number): number[] => [-affine[at] + 0, -affine[4 + at] + 0, affine[8 + at]];
  return {
    affine,
    space: 'left-posterior-superior',
    spaceDirections: [column(0), column(1), column(2)],
    spaceOrigin: column(3),
  };
}

/** `(a,b,c)` vectors and `none`, as many as there are. Throws NrrdError for anything else. */
export function parseVectors(text: string, field: string, name: string): (number[] | undefined)[] {
  const rest = text.replaceAll(/\([^()]*\)|none/gi, '');
  if (rest.trim() !== '') throw new NrrdError(name, field, `${quoted(text)}; expected vectors such as (1,0,0) or none`);
  return [...text.matchAll(/\(([^()]*)\)|none/gi)].map((match) => {
    if (match[1] === undefined) return undefined;
    const vector = match[1].split(',', 4).map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (vector.length === 3 && vector.every(Number.isFinite)) return vector;
    throw new NrrdError(name, field, `${quoted(match[0])}; expected three finite numbers in 3D space`);
  });
}

function presentDirections(
  directions: readonly (readonly number[] | undefined)[],
  name: string,
): (readonly number[])[] {
  return directions.map((direction, axis) => {
    if (direction !== undefined) return direction;
    throw new NrrdError(name, 'space directions', `axis ${axis} has none: it is not an axis of space`);
  });
}

function parseSpacings(spacings: readonly string[] | undefined, name: string): number[] {
  if (spacings === undefined) {
    throw new NrrdError(name, 'space directions', 'and spacings are both missing: the size of a voxel is unknown');
  }
  return spacings.map((text, axis) => {
    const value = Number(text);
    if (Number.isFinite(value) && value > 0) return value;
    throw new NrrdError(name, 'spacings', `${quoted(text)} along axis ${axis}; expected a number above 0`);
  });
}

function onAxis(value: number, axis: number): number[] {
  const column = [0, 0, 0];
  column[axis] = value;
  return column;
}

function parseOrigin(text: string | undefined, name: string): readonly number[] | undefined {
  if (text === undefined) return undefined;
  const [vector, ...more] = parseVectors(text, 'space origin', name);
  if (vector === undefined || more.length > 0) {
    throw new NrrdError(name, 'space origin', `${quoted(text)}; expected one vector of three numbers`);
  }
  return vector;
}

const isMillimetres = (units: string | undefined): boolean => units === undefined || /^("(mm)?"\s*){3}$/.test(units);

function inAssumedUnits(
  affine: Affine,
  stated: string | undefined,
  name: string,
  { units }: HeaderAssumptions,
): Assumed {
  if (units !== undefined) return assumeUnits(affine, units);
  // By the definition they count, ITK takes every number for millimetres: files with others are read in two ways.
  throw new NrrdError(name, 'space units', `${quoted(stated ?? '')}; expected "mm" "mm" "mm"`, unitsOption);
}
