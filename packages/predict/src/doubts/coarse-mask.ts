/**
 * A label map and its scan on a grid of about 2.5 mm, axes to left, back and up: fine enough for lungs and lesions, and a
 * hundredth of the voxels of a large scan, so that components and distances cost next to nothing. Every so many voxels one is
 * taken, none is averaged: a label stays a label.
 */
import { enclosedAir } from '@quickcolumn/defects';
import { intensityScaleOf, reorient, type Size3, spacingMm, type Vector3, type Volume } from '@quickcolumn/volume';

const coarseMm = 2.5;
/** Darker is air or lung: −500 HU, and where a scan in 0–255 has that. */
const airBelow = { hu: -500, '0-255': 127 } as const;

export interface CoarseMask {
  readonly labels: Uint8Array;
  readonly size: Size3;
  readonly mm: Vector3;
  readonly voxelMl: number;
  /** 1 for air that the body encloses in an axial slice. */
  readonly air: Uint8Array;
}

/** @param scan on the grid of the labels */
export function coarseMask(labels: Volume<Uint8Array>, scan: Volume): CoarseMask {
  const few = reorient(thinned(labels));
  const image = reorient(thinned(scan));
  const mm = spacingMm(few.affine);
  const [nx, ny, nz] = few.size;
  const limit = airBelow[intensityScaleOf(scan.voxels)];
  const air = new Uint8Array(few.voxels.length);
  for (let k = 0; k < nz; k++) {
    const slice = Float32Array.from(image.voxels.subarray(k * nx * ny, (k + 1) * nx * ny));
    air.set(enclosedAir(slice, nx, ny, limit), k * nx * ny);
  }
  return { labels: few.voxels, size: few.size, mm, voxelMl: (mm[0] * mm[1] * mm[2]) / 1000, air };
}

/** Of every block of voxels the one in its middle. */
function thinned<T extends Volume>({ voxels, size, affine }: T): T {
  const step = spacingMm(affine).map((mm, axis) => Math.max(1, Math.min(size[axis], Math.round(coarseMm / mm))));
  const few = size.map((n, axis) => Math.floor(n / step[axis]));
  const first = step.map((n) => n >> 1);
  const Voxels = voxels.constructor as new (length: number) => T['voxels'];
  const taken = new Voxels(few[0] * few[1] * few[2]);
  for (let k = 0, to = 0; k < few[2]; k++) {
    for (let j = 0; j < few[1]; j++) {
      let from = first[0] + size[0] * (first[1] + j * step[1] + size[1] * (first[2] + k * step[2]));
      for (let i = 0; i < few[0]; i++, to++, from += step[0]) taken[to] = voxels[from];
    }
  }
  const scaled = affine.map((value, at) => (at < 12 && at % 4 < 3 ? value * step[at % 4] : value));
  return { voxels: taken, size: few, affine: scaled } as unknown as T;
}
