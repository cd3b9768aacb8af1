/**
 * Affine geometry of voxel grids: spacing, axis codes, inverse and product, and the affine of a resized grid.
 *
 * An affine maps voxel indices to RAS+ millimetres (NIfTI's convention: +x right, +y anterior, +z superior), so a grid
 * whose first axis increases towards the patient's left has code 'L' and a negative first column.
 * The trap: obliqued and sheared affines have no exact axis codes. The assignment is that of nibabel's io_orientation:
 * nearest rotation first (polar decomposition), then the columns in turn take the closest free world axis.
 */
import { VolumeError } from './errors.js';
import { checkSize } from './volume-checks.js';
import type { Affine, Size3, Vector3 } from './volume.js';

/** Size and affine of a grid; every Volume is one. */
export interface Grid {
  readonly size: Size3;
  readonly affine: Affine;
}

/** World axis (0 x, 1 y, 2 z in RAS) that a voxel axis runs along, and +1 or −1 for the direction it increases in. */
export interface AxisDirection {
  readonly worldAxis: number;
  readonly sign: 1 | -1;
}

/** Distance in millimetres between neighbouring voxels along each voxel axis (the norms of the affine's columns). */
export function spacingMm(affine: Affine): Vector3 {
  checkAffine(affine);
  const norm = (c: number): number => Math.hypot(affine[c], affine[4 + c], affine[8 + c]);
  return [norm(0), norm(1), norm(2)];
}

/** Volume of a voxel, from the determinant: a sheared affine (gantry tilt) has smaller voxels than the product of its spacings. */
export function voxelVolumeMm3(m: Affine): number {
  return Math.abs(
    m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]),
  );
}

/** The largest cosine between two of the axes: 0 where all are at right angles, as voxels without shear are. */
export function largestAxisCosine(affine: Affine): number {
  const lengths = spacingMm(affine);
  const cosine = (p: number, q: number): number => {
    const along = (row: number): number => (affine[4 * row + p] / lengths[p]) * (affine[4 * row + q] / lengths[q]);
    return Math.abs(along(0) + along(1) + along(2));
  };
  return Math.max(cosine(0, 1), cosine(0, 2), cosine(1, 2));
}

/**
 * Three letters saying the direction each voxel axis increases towards: 'LPS' means the first axis runs to the patient's
 * left, the second to posterior, the third to superior. Equal to nibabel's aff2axcodes.
 * @throws VolumeError for an affine that cannot be inverted
 */
export function axisCodes(affine: Affine): string {
  return axisDirections(affine)
    .map(({ worldAxis, sign }) => (sign > 0 ? 'RAS' : 'LPI')[worldAxis])
    .join('');
}

/**
 * For each voxel axis the world axis it is closest to, every world axis once.
 * @throws VolumeError for an affine that cannot be inverted
 */
export function axisDirections(affine: Affine): readonly [AxisDirection, AxisDirection, AxisDirection] {
  const rotation = nearestRotation(affine);
  const free = new Set([0, 1, 2]);
  const directions = [0, 1, 2].map((column): AxisDirection => {
    let worldAxis = -1;
    for (const row of free) {
      if (worldAxis < 0 || Math.abs(rotation[row * 3 + column]) > Math.abs(rotation[worldAxis * 3 + column])) {
        worldAxis = row;
      }
    }
    free.delete(worldAxis);
    return { worldAxis, sign: rotation[worldAxis * 3 + column] < 0 ? -1 : 1 };
  });
  return [directions[0], directions[1], directions[2]];
}

/**
 * Inverse of an affine: RAS millimetres → voxel index.
 * @throws VolumeError when the voxel axes do not span space (a spacing of 0, or two parallel axes)
 */
export function invertAffine(affine: Affine): Affine {
  checkAffine(affine);
  const m = invert3(linearPart(affine), affine);
  const [tx, ty, tz] = [affine[3], affine[7], affine[11]];
  const shift = (r: number): number => -(m[r * 3] * tx + m[r * 3 + 1] * ty + m[r * 3 + 2] * tz);
  return [m[0], m[1], m[2], shift(0), m[3], m[4], m[5], shift(1), m[6], m[7], m[8], shift(2), 0, 0, 0, 1];
}

/** Product a·b: the map that applies b first, then a. */
export function multiplyAffine(a: Affine, b: Affine): Affine {
  checkAffine(a);
  checkAffine(b);
  const product: number[] = [];
  for (let r = 0; r < 4; r++) {
    for (let c = 0; c < 4; c++) {
      let sum = 0;
      for (let k = 0; k < 4; k++) sum += a[r * 4 + k] * b[k * 4 + c];
      product.push(sum);
    }
  }
  return product;
}

/** The affine's image of a point (for a grid's affine: voxel index i, j, k → RAS millimetres). */
export function applyAffine(affine: Affine, point: Vector3): Vector3 {
  const [i, j, k] = point;
  const row = (r: number): number => affine[r] * i + affine[r + 1] * j + affine[r + 2] * k + affine[r + 3];
  return [row(0), row(4), row(8)];
}

/**
 * Affine of a grid with another number of voxels over the same physical box: edges coincide, so new voxel i sits at old
 * index (i + 0.5)·old/new − 0.5.
 */
export function resizedAffine(affine: Affine, oldSize: Size3, newSize: Size3): Affine {
  checkSize(oldSize, 'resizedAffine: old size');
  checkSize(newSize, 'resizedAffine: new size');
  const [rx, ry, rz] = oldSize.map((n, axis) => n / newSize[axis]);
  const offset = (ratio: number): number => 0.5 * ratio - 0.5;
  return multiplyAffine(affine, [rx, 0, 0, offset(rx), 0, ry, 0, offset(ry), 0, 0, rz, offset(rz), 0, 0, 0, 1]);
}

/** Result of compareGrids; `reason` is one sentence, present when the grids differ. */
export interface GridComparison {
  readonly same: boolean;
  readonly reason?: string;
}

/**
 * Whether two grids are the same voxels in the same places: equal sizes, and no corner further apart than the tolerance
 * (files store affines in float32 or as quaternions, so equal grids are rarely bit-equal).
 */
export function compareGrids(a: Grid, b: Grid, toleranceMm: number = 1e-3): GridComparison {
  if (a.size.some((n, axis) => n !== b.size[axis])) {
    return { same: false, reason: `sizes differ: ${a.size.join('×')} and ${b.size.join('×')} voxels` };
  }
  let worst = 0;
  for (let corner = 0; corner < 8; corner++) {
    const point: Vector3 = [
      corner & 1 ? a.size[0] - 1 : 0,
      corner & 2 ? a.size[1] - 1 : 0,
      corner & 4 ? a.size[2] - 1 : 0,
    ];
    const [p, q] = [applyAffine(a.affine, point), applyAffine(b.affine, point)];
    const apart = Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    // Not `apart > worst`: a NaN in either affine must not pass as equal.
    if (!(apart <= worst)) worst = apart;
  }
  if (worst <= toleranceMm) return { same: true };
  const describe = (grid: Grid): string =>
    `spacing ${spacingMm(grid.affine)
      .map((mm) => mm.toFixed(4))
      .join('×')} mm, origin (${[3, 7, 11].map((at) => grid.affine[at].toFixed(3)).join(', ')})`;
  return {
    same: false,
    reason: `positions differ by up to ${worst.toFixed(4)} mm (allowed ${toleranceMm}): ${describe(a)} and ${describe(b)}`,
  };
}

function checkAffine(affine: Affine): void {
  if (affine.length !== 16) {
    throw new VolumeError(`affine has ${affine.length} numbers; expected 16 (4×4, row by row)`, {
      length: affine.length,
    });
  }
}

function linearPart(affine: Affine): number[] {
  return [0, 1, 2, 4, 5, 6, 8, 9, 10].map((at) => affine[at]);
}

function invert3(m: readonly number[], affine: Affine): number[] {
  const cofactor = (a: number, b: number, c: number, d: number): number => m[a] * m[d] - m[b] * m[c];
  const [c0, c1, c2] = [cofactor(4, 5, 7, 8), cofactor(5, 3, 8, 6), cofactor(3, 4, 6, 7)];
  const determinant = m[0] * c0 + m[1] * c1 + m[2] * c2;
  const scale = [0, 1, 2].reduce((product, c) => product * Math.hypot(m[c], m[3 + c], m[6 + c]), 1);
  // Relative to the box of the spacings: a determinant in mm³ is small for small voxels, singular or not.
  if (!(Math.abs(determinant) > 1e-9 * scale)) {
    throw new VolumeError(
      `affine [${affine.slice(0, 12).join(', ')}] cannot be inverted: its voxel axes do not span space; ` +
        'the header of this image is damaged or was never set',
      { affine: [...affine] },
    );
  }
  return [
    c0,
    cofactor(2, 1, 8, 7),
    cofactor(1, 2, 4, 5),
    c1,
    cofactor(0, 2, 6, 8),
    cofactor(2, 0, 5, 3),
    c2,
    cofactor(1, 0, 7, 6),
    cofactor(0, 1, 3, 4),
  ].map((value) => value / determinant);
}

/** Orthogonal matrix closest to the affine's directions: Newton's iteration R ← (R + R⁻ᵀ)/2 for the polar factor. */
function nearestRotation(affine: Affine): number[] {
  const spacing = spacingMm(affine);
  let r = linearPart(affine).map((value, at) => value / spacing[at % 3]);
  for (let step = 0; step < 60; step++) {
    const inverse = invert3(r, affine);
    const next = r.map((value, at) => 0.5 * (value + inverse[(at % 3) * 3 + Math.floor(at / 3)]));
    const change = Math.max(...next.map((value, at) => Math.abs(value - r[at])));
    r = next;
    if (change < 1e-14) break;
  }
  return r;
}
