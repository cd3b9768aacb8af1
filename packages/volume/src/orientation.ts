/**
 * Reorientation: bringing the voxel axes into a wanted order and direction ('LPS') by permuting and flipping only.
 *
 * No voxel value changes and every voxel keeps its place in the world, so the way back is exact. An oblique scan stays
 * oblique: its axes become the closest ones to the target's, and its affine keeps the angles.
 */
import { VolumeError } from './errors.js';
import { axisDirections } from './geometry.js';
import { checkVoxels, emptyLike } from './volume-checks.js';
import type { Affine, Size3, Vector3, Volume, VoxelArray } from './volume.js';

/** How target axes are taken from source axes: target axis t is source axis permutation[t], reversed where flip[t]. */
export interface Reorientation {
  readonly permutation: readonly [number, number, number];
  readonly flip: readonly [boolean, boolean, boolean];
}

/**
 * The permutation and flips that bring a grid to the target axis codes.
 * @param target three letters, one of each pair R/L, A/P, S/I
 * @throws VolumeError for other letters, or an affine that cannot be inverted
 */
export function reorientation(affine: Affine, target: string = 'LPS'): Reorientation {
  const directions = axisDirections(affine);
  const wanted = parseCodes(target);
  const of = wanted.map(({ worldAxis }) => directions.findIndex((direction) => direction.worldAxis === worldAxis));
  const flip = wanted.map(({ sign }, t) => directions[of[t]].sign !== sign);
  return { permutation: [of[0], of[1], of[2]], flip: [flip[0], flip[1], flip[2]] };
}

/**
 * The volume with its axes along the target codes. Returns `volume` itself, not a copy, when nothing has to move.
 * @throws VolumeError when voxels and size do not fit, or the affine cannot be inverted
 */
export function reorient<T extends VoxelArray>(volume: Volume<T>, target: string = 'LPS'): Volume<T> {
  checkVoxels(volume.voxels, volume.size, 'reorient');
  const how = reorientation(volume.affine, target);
  if (isIdentity(how)) return volume;
  const { voxels, size } = permuteAndFlip(volume.voxels, volume.size, how);
  return { voxels, size, affine: reorientedAffine(volume.affine, volume.size, how) };
}

/**
 * Exact inverse of `reorient`: from the target orientation back to the original axes. The voxels may be others (a
 * prediction on the reoriented grid). The result carries `originalAffine` itself, number for number.
 * @throws VolumeError when the volume's size is not the reoriented original size
 */
export function reorientBack<T extends VoxelArray>(
  volume: Volume<T>,
  originalAffine: Affine,
  originalSize: Size3,
  target: string = 'LPS',
): Volume<T> {
  checkVoxels(volume.voxels, volume.size, 'reorientBack');
  const { permutation, flip } = reorientation(originalAffine, target);
  if (permutation.some((source, t) => volume.size[t] !== originalSize[source])) {
    const expected = permutation.map((source) => originalSize[source]);
    throw new VolumeError(
      `reorientBack: volume is ${volume.size.join('×')}, but ${originalSize.join('×')} voxels brought to ${target} are ` +
        `${expected.join('×')}; resize it to the reoriented grid first`,
      { size: [...volume.size], expected },
    );
  }
  const of = [0, 1, 2].map((source) => permutation.indexOf(source));
  const back: Reorientation = {
    permutation: [of[0], of[1], of[2]],
    flip: [flip[of[0]], flip[of[1]], flip[of[2]]],
  };
  const voxels = isIdentity(back) ? volume.voxels : permuteAndFlip(volume.voxels, volume.size, back).voxels;
  return { voxels, size: originalSize, affine: originalAffine };
}

/** Affine of the reoriented grid: columns permuted, flipped columns negated and the origin moved to their far end. */
export function reorientedAffine(affine: Affine, size: Size3, how: Reorientation): Affine {
  const result = [...affine];
  for (let row = 0; row < 3; row++) {
    let origin = affine[row * 4 + 3];
    for (let t = 0; t < 3; t++) {
      const source = how.permutation[t];
      const step = affine[row * 4 + source];
      // `0 - step` keeps −0 out of headers.
      result[row * 4 + t] = how.flip[t] ? 0 - step : step;
      if (how.flip[t]) origin += step * (size[source] - 1);
    }
    result[row * 4 + 3] = origin;
  }
  return result;
}

/** Copy voxels into permuted, flipped axes. `size` is the source's; the returned size is the result's. */
export function permuteAndFlip<T extends VoxelArray>(
  voxels: T,
  size: Size3,
  how: Reorientation,
): { voxels: T; size: Size3 } {
  const { permutation, flip } = how;
  const sourceStride = [1, size[0], size[0] * size[1]];
  const newSize: Size3 = [size[permutation[0]], size[permutation[1]], size[permutation[2]]];
  const result = emptyLike(voxels, voxels.length);
  const stride = [0, 0, 0];
  let start = 0;
  for (let t = 0; t < 3; t++) {
    const step = sourceStride[permutation[t]];
    stride[t] = flip[t] ? -step : step;
    if (flip[t]) start += step * (newSize[t] - 1);
  }
  copyStrided(bitView(voxels), bitView(result), newSize, stride, start);
  return { voxels: result, size: newSize };
}

type BitView = Uint8Array | Uint16Array | Uint32Array | Float64Array;

// Copying needs the element width only. Four array kinds instead of eight keep the loop below in V8's inline caches.
function bitView(voxels: VoxelArray): BitView {
  const { buffer, byteOffset, length } = voxels;
  if (voxels.BYTES_PER_ELEMENT === 1) return new Uint8Array(buffer, byteOffset, length);
  if (voxels.BYTES_PER_ELEMENT === 2) return new Uint16Array(buffer, byteOffset, length);
  if (voxels.BYTES_PER_ELEMENT === 4) return new Uint32Array(buffer, byteOffset, length);
  return voxels as Float64Array;
}

const tile = 32;

function copyStrided(from: BitView, to: BitView, size: Size3, stride: readonly number[], start: number): void {
  const [nx, ny, nz] = size;
  if (stride[0] === 1) {
    for (let z = 0; z < nz; z++) {
      for (let y = 0; y < ny; y++) {
        const row = start + y * stride[1] + z * stride[2];
        to.set(from.subarray(row, row + nx), (z * ny + y) * nx);
      }
    }
    return;
  }
  // The result's x runs across the source's rows: walk in tiles of x and the axis along those rows (`a`), so that the
  // cache lines read for one x serve the next ones too.
  const a = Math.abs(stride[2]) === 1 ? 2 : 1;
  const b = 3 - a;
  const toStride = [1, nx, nx * ny];
  const [xStep, aStep, aTo] = [stride[0], stride[a], toStride[a]];
  for (let ib = 0; ib < size[b]; ib++) {
    const fromB = start + ib * stride[b];
    const toB = ib * toStride[b];
    for (let a0 = 0; a0 < size[a]; a0 += tile) {
      const a1 = Math.min(a0 + tile, size[a]);
      for (let x0 = 0; x0 < nx; x0 += tile) {
        const x1 = Math.min(x0 + tile, nx);
        for (let ia = a0; ia < a1; ia++) {
          let source = fromB + ia * aStep + x0 * xStep;
          const row = toB + ia * aTo;
          for (let x = x0; x < x1; x++) {
            to[row + x] = from[source];
            source += xStep;
          }
        }
      }
    }
  }
}

/** All 48 orders and directions of axes: LPS, RAS, … */
export const allAxisCodes: readonly string[] = ['LR', 'PA', 'SI'].flatMap((first, at, pairs) => {
  const [b, c] = pairs.filter((_, other) => other !== at);
  const orders = [`${first}|${b}|${c}`, `${first}|${c}|${b}`].map((order) => order.split('|'));
  return orders.flatMap(([x, y, z]) =>
    x.split('').flatMap((i) => y.split('').flatMap((j) => z.split('').map((k) => i + j + k))),
  );
});

/**
 * The affine of an upright grid whose axes run along axis codes.
 * @param origin place of the first voxel in RAS millimetres
 * @throws VolumeError for other codes than `allAxisCodes`
 */
export function affineOfCodes(codes: string, spacingMm: Vector3, origin: Vector3 = [0, 0, 0]): Affine {
  const affine = [0, 0, 0, origin[0], 0, 0, 0, origin[1], 0, 0, 0, origin[2], 0, 0, 0, 1];
  parseCodes(codes).forEach(({ worldAxis, sign }, axis) => {
    affine[4 * worldAxis + axis] = sign * spacingMm[axis];
  });
  return affine;
}

function isIdentity({ permutation, flip }: Reorientation): boolean {
  return permutation.every((source, t) => source === t) && !flip.some(Boolean);
}

function parseCodes(codes: string): { worldAxis: number; sign: 1 | -1 }[] {
  const parsed = codes.split('').map((letter): { worldAxis: number; sign: 1 | -1 } => {
    const positive = 'RAS'.indexOf(letter);
    return positive >= 0 ? { worldAxis: positive, sign: 1 } : { worldAxis: 'LPI'.indexOf(letter), sign: -1 };
  });
  if (
    parsed.length !== 3 ||
    new Set(parsed.map((p) => p.worldAxis)).size !== 3 ||
    parsed.some((p) => p.worldAxis < 0)
  ) {
    throw new VolumeError(`orientation '${codes}' must be three letters, one each of R/L, A/P and S/I, such as LPS`, {
      codes,
    });
  }
  return parsed;
}
