/** Volumes of every kind for properties: any type of voxels, axes turned, mirrored, of different lengths, sheared. */
import type { Affine, Size3, Volume, VoxelArray } from '@quickcolumn/volume';
import fc from 'fast-check';

const arrays = [Int8Array, Uint8Array, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array];

const sizes: fc.Arbitrary<Size3> = fc.tuple(
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 1, max: 6 }),
);
const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
const spacing = fc.double({ min: 0.2, max: 6, noNaN: true });
const coordinate = fc.double({ min: -500, max: 500, noNaN: true });

/** A rotation about x, y and z times voxel sizes (one may be mirrored), plus shear of the second axis. */
export function affineOf(
  angles: readonly number[],
  mm: readonly number[],
  origin: readonly number[],
  shear: number,
): Affine {
  const [[cx, cy, cz], [sx, sy, sz]] = [angles.map(Math.cos), angles.map(Math.sin)];
  const r = [
    [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz],
    [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz],
    [-sy, sx * cy, cx * cy],
  ];
  const rows = r.map(([x, y, z], i) => [x * mm[0], (y + shear * x) * mm[1], z * mm[2], origin[i]]);
  return [...rows.flat(), 0, 0, 0, 1];
}

export const affines = (shear: fc.Arbitrary<number>): fc.Arbitrary<Affine> =>
  fc
    .tuple(
      fc.tuple(angle, angle, angle),
      fc.tuple(spacing, spacing, spacing),
      fc.tuple(coordinate, coordinate, coordinate),
      shear,
      fc.boolean(),
    )
    .map(([angles, [x, y, z], origin, s, mirror]) => affineOf(angles, [mirror ? -x : x, y, z], origin, s));

/** With the shear of the second axis that is asked for. */
export const volumes = (shear: fc.Arbitrary<number>): fc.Arbitrary<Volume> =>
  fc.tuple(sizes, fc.constantFrom(...arrays), affines(shear), fc.integer()).map(([size, array, affine, seed]) => {
    let state = seed | 1;
    const raw = new Uint8Array(size[0] * size[1] * size[2] * array.BYTES_PER_ELEMENT);
    for (let i = 0; i < raw.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0;
      raw[i] = state >>> 24;
    }
    const voxels: VoxelArray = new array(raw.buffer);
    return { voxels, size, affine };
  });

/** Any shear that leaves axes apart. */
export const anyShear: fc.Arbitrary<number> = fc.double({ min: -0.8, max: 0.8, noNaN: true });
export const noShear: fc.Arbitrary<number> = fc.constant(0);
