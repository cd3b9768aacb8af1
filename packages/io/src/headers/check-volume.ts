/** Whether a volume can be written at all; what every format asks before its own limits. */
import type { QuickcolumnError } from '@quickcolumn/errors';
import type { Volume } from '@quickcolumn/volume';
import { affineProblem } from './affine-check.js';

/** What a format calls its parts, and what it can hold. */
export interface VolumeLimits {
  /** Most voxels along an axis. */
  readonly largestSize: number;
  /** Who says so. */
  readonly title: string;
  /** The field that holds the size along an axis (0, 1, 2). */
  readonly sizeField: (axis: number) => string;
  readonly refuse: (field: string, problem: string) => QuickcolumnError;
}

/** Throws `refuse`'s error for a wrong size, number of voxels, or affine. */
export function checkVolume({ voxels, size, affine }: Volume, limits: VolumeLimits): void {
  const { largestSize, title, sizeField, refuse } = limits;
  for (const [axis, length] of size.entries()) {
    if (!Number.isInteger(length) || length < 1 || length > largestSize) {
      throw refuse(sizeField(axis), `${length}; ${title} stores sizes from 1 to ${largestSize}`);
    }
  }
  if (voxels.length !== size[0] * size[1] * size[2]) {
    throw refuse('voxels', `${voxels.length} values for ${size.join('×')} voxels`);
  }
  if (affine.length !== 16) throw refuse('affine', `${affine.length} numbers; expected 16`);
  const problem = affineProblem(affine);
  if (problem !== undefined) throw refuse('affine', problem);
}
