/**
 * Where the voxels of a MetaImage file are: from its matrix, spacing and offset to an affine in RAS millimetres. Source: ITK's
 * MetaImageIO.
 *
 * Traps: the rows of `TransformMatrix` are the directions of the voxel axes (columns of an affine); the world is L-P-S;
 * `AnatomicalOrientation` says nothing that the matrix does not, contradicts it in many files and is ignored, as in ITK.
 * Without a matrix a file says nothing about the patient's left: it is refused unless the user assumes an orientation.
 */
import { type Affine, axisCodes, spacingMm } from '@quickcolumn/volume';
import {
  type Assumed,
  assumeOrientation,
  assumeUnits,
  type HeaderAssumptions,
  orientationOption,
  unitsOption,
} from '../headers/assumptions.js';
import { affineProblem, columnLength } from '../headers/affine-check.js';
import { parseNumbers, quoted } from '../headers/text-header.js';
import { MetaImageError } from './error.js';

/** The fields of a header that place its voxels, and the affine that they mean, voxel index to RAS millimetres. */
export interface MetaImageGeometry {
  readonly affine: Affine;
  /** 9 numbers, one axis of the voxels after the other. */
  readonly transformMatrix: readonly number[];
  readonly offset: readonly number[];
  readonly elementSpacing: readonly number[];
  /** Three letters, as the file has them. */
  readonly anatomicalOrientation?: string;
}

/** Of a header with `count` axes, 3 of them of space. Throws MetaImageError naming `name` and the field. */
export function metaImageGeometry(
  values: ReadonlyMap<string, string>,
  count: number,
  name: string,
  assume: HeaderAssumptions = {},
): { readonly geometry: MetaImageGeometry; readonly notes: readonly string[] } {
  const numbers = (keys: readonly string[], title: string, length: number): number[] | undefined => {
    const key = keys.find((candidate) => values.has(candidate));
    if (key === undefined) return undefined;
    const text = values.get(key) ?? '';
    const parsed = parseNumbers(text, length);
    if (parsed !== undefined) return parsed;
    throw new MetaImageError(name, title, `${quoted(text)}; expected ${length} finite numbers`);
  };
  const spacing = numbers(['elementspacing', 'elementsize'], 'ElementSpacing', count)?.slice(0, 3);
  if (spacing === undefined) {
    throw new MetaImageError(name, 'ElementSpacing', 'is missing: the size of a voxel is unknown');
  }
  if (!spacing.every((value) => value > 0)) {
    throw new MetaImageError(name, 'ElementSpacing', `${spacing.join(' ')}; expected numbers above 0`);
  }
  const matrix = numbers(['transformmatrix', 'rotation', 'orientation'], 'TransformMatrix', count * count);
  const offset = numbers(['offset', 'origin', 'position'], 'Offset', count) ?? [0, 0, 0];
  const direction = (axis: number, world: number): number => matrix?.[axis * count + world] ?? (axis === world ? 1 : 0);
  const row = (world: number, sign: number): number[] =>
    // `+ 0` keeps −0 out of headers.
    [...[0, 1, 2].map((axis) => direction(axis, world) * spacing[axis] * sign + 0), offset[world] * sign + 0];
  const stated = [...row(0, -1), ...row(1, -1), ...row(2, 1), 0, 0, 0, 1];
  const problem = affineProblem(stated);
  if (problem !== undefined) throw new MetaImageError(name, 'TransformMatrix', problem);
  const { affine, notes } = assumedPlace(stated, matrix !== undefined, values.get('distanceunits') ?? 'mm', {
    name,
    assume,
  });
  if (notes.length > 0) return { geometry: geometryOf(affine), notes };
  const letters = values.get('anatomicalorientation') ?? '';
  const geometry = {
    affine,
    transformMatrix: [0, 1, 2].flatMap((axis) => [0, 1, 2].map((world) => direction(axis, world))),
    offset: offset.slice(0, 3),
    elementSpacing: spacing,
    ...(/^[a-z]{3}$/i.test(letters) && { anatomicalOrientation: letters }),
  };
  return { geometry, notes };
}

/** The stated affine where the header says all; else what is assumed, or MetaImageError. */
function assumedPlace(
  stated: Affine,
  oriented: boolean,
  unit: string,
  { name, assume }: { readonly name: string; readonly assume: HeaderAssumptions },
): Assumed {
  let place: Assumed = { affine: stated, notes: [] };
  if (!oriented) {
    if (assume.orientation === undefined) {
      const silent = "is missing: nothing says where the patient's left is";
      throw new MetaImageError(name, 'TransformMatrix', silent, orientationOption);
    }
    const origin = [stated[3], stated[7], stated[11]] as const;
    place = assumeOrientation(assume.orientation, spacingMm(stated), origin);
  }
  if (['mm', '?', ''].includes(unit.toLowerCase())) return place;
  if (assume.units !== undefined) {
    const { affine, notes } = assumeUnits(place.affine, assume.units);
    return { affine, notes: [...place.notes, ...notes] };
  }
  // ITK leaves it out and takes the numbers for millimetres: nobody can say what the file means.
  throw new MetaImageError(name, 'DistanceUnits', `${quoted(unit)}; expected mm`, unitsOption);
}

/** The fields of an affine whose axes are at right angles. */
export function geometryOf(affine: Affine): MetaImageGeometry {
  // `+ 0` keeps −0 out of headers.
  const toLps = (column: number): number[] => [-affine[column] + 0, -affine[4 + column] + 0, affine[8 + column]];
  const elementSpacing = [0, 1, 2].map((axis) => columnLength(affine, axis));
  return {
    affine,
    transformMatrix: [0, 1, 2].flatMap((axis) => toLps(axis).map((along) => along / elementSpacing[axis])),
    offset: toLps(3),
    elementSpacing,
    anatomicalOrientation: axisCodes(affine).replaceAll(/./g, (code) => opposites[code]),
  };
}

/** ITK names where an axis comes from, not where it goes to: voxels to the left, back and head are RAI. */
const opposites: Readonly<Record<string, string>> = { L: 'R', R: 'L', A: 'P', P: 'A', S: 'I', I: 'S' };
