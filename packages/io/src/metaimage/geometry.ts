/**
 * Where the voxels of a MetaImage file are: from its matrix, spacing and offset to an affine in RAS millimetres. Source: ITK's
 * MetaImageIO.
 *
 * Traps: the rows of `TransformMatrix` are the directions of the voxel axes (columns of an affine); the world is L-P-S;
 * `AnatomicalOrientation` says nothing that the matrix does not, contradicts it in many files and is ignored, as in ITK.
 */
import type { Affine } from '@quickcolumn/volume';
import { affineProblem } from '../headers/affine-check.js';
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
export function metaImageGeometry(values: ReadonlyMap<string, string>, count: number, name: string): MetaImageGeometry {
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
  const unit = values.get('distanceunits') ?? 'mm';
  if (!['mm', '?', ''].includes(unit.toLowerCase())) {
    // ITK leaves it out and takes the numbers for millimetres: nobody can say what the file means.
    throw new MetaImageError(name, 'DistanceUnits', `${quoted(unit)}; expected mm`);
  }
  const direction = (axis: number, world: number): number => matrix?.[axis * count + world] ?? (axis === world ? 1 : 0);
  const row = (world: number, sign: number): number[] =>
    // `+ 0` keeps −0 out of headers.
    [...[0, 1, 2].map((axis) => direction(axis, world) * spacing[axis] * sign + 0), offset[world] * sign + 0];
  const affine = [...row(0, -1), ...row(1, -1), ...row(2, 1), 0, 0, 0, 1];
  const problem = affineProblem(affine);
  if (problem !== undefined) throw new MetaImageError(name, 'TransformMatrix', problem);
  const letters = values.get('anatomicalorientation') ?? '';
  return {
    affine,
    transformMatrix: [0, 1, 2].flatMap((axis) => [0, 1, 2].map((world) => direction(axis, world))),
    offset: offset.slice(0, 3),
    elementSpacing: spacing,
    ...(/^[a-z]{3}$/i.test(letters) && { anatomicalOrientation: letters }),
  };
}
