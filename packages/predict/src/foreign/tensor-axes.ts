/**
 * Between a window of the prepared grid (axes L, P, S; x fastest) and a model's tensor, whose three spatial axes may lie in
 * any order and run either way. The trap: axis codes of a tensor are written slowest first, those of a volume fastest first.
 */
import { affineOfCodes, permuteAndFlip, type Reorientation, reorientation, type Size3 } from '@quickcolumn/volume';

export interface TensorAxes {
  /** Lengths of the tensor's spatial axes for a window of this size along x, y, z. */
  shapeOf(patch: Size3): Size3;
  /** For each spatial axis of the tensor: 0 for x, 1 for y, 2 for z. */
  readonly order: Size3;
  /** Axes x, y, z that the tensor has the other way round. */
  readonly reversed: readonly [boolean, boolean, boolean];
  /** A window in the tensor's order; a new array. */
  toTensor(window: Float32Array, patch: Size3): Float32Array;
  /** One channel of a tensor back; a new array, or `channel` itself where nothing moves. */
  fromTensor(channel: Float32Array, patch: Size3): Float32Array;
}

/** @param codes of the spatial axes in the tensor's order, such as `SPL` */
export function tensorAxes(codes: string): TensorAxes {
  const fastestFirst = codes.split('').reverse().join('');
  const there = reorientation(affineOfCodes('LPS', [1, 1, 1]), fastestFirst);
  const back = reorientation(affineOfCodes(fastestFirst, [1, 1, 1]), 'LPS');
  const { permutation: p } = there;
  const order: Size3 = [p[2], p[1], p[0]];
  const shapeOf = (patch: Size3): Size3 => [patch[order[0]], patch[order[1]], patch[order[2]]];
  const isSame = isIdentity(there);
  return {
    shapeOf,
    order,
    reversed: [codes.includes('R'), codes.includes('A'), codes.includes('I')],
    toTensor: (window, patch) => (isSame ? window.slice() : permuteAndFlip(window, patch, there).voxels),
    fromTensor: (channel, patch) => {
      const [slow, middle, fast] = shapeOf(patch);
      return isSame ? channel : permuteAndFlip(channel, [fast, middle, slow], back).voxels;
    },
  };
}

const isIdentity = ({ permutation, flip }: Reorientation): boolean =>
  permutation.every((source, axis) => source === axis) && !flip.some(Boolean);
