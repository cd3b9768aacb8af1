/**
 * Order and direction of axes, judged by the place of voxels in the world: models whose output depends on the position in the
 * tensor, on a scan that is anisotropic, oblique and stored with flipped, permuted axes.
 */
import { allAxisCodes, type Size3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { predictScan } from '../predict.js';
import { foreign, floatTensor, onnxModel, shiftModel } from './foreign.test.helpers.js';

const size: Size3 = [7, 9, 8];
/** Columns: about inferior 2.5 mm, about anterior 0.8 mm, about right 1.1 mm, turned by up to 10°. */
const affine = [0.19, 0.1, 1.08, -30, 0.3, 0.78, -0.15, 12, -2.47, 0.1, 0.13, 95, 0, 0, 0, 1];

const pattern = (at: number): number => (((at * 2654435761) >>> 8) % 1000) - 500;
const scan: Volume<Float32Array> = {
  size,
  affine,
  voxels: Float32Array.from({ length: size[0] * size[1] * size[2] }, (_, at) => pattern(at)),
};

const world: Readonly<Record<string, readonly [row: number, sign: number]>> = {
  R: [0, 1],
  L: [0, -1],
  A: [1, 1],
  P: [1, -1],
  S: [2, 1],
  I: [2, -1],
};

/** The stored axis that is closest to a direction, and the step along it. */
function stepTowards(code: string): { axis: number; step: 1 | -1 } {
  const [row, sign] = world[code];
  const cosines = [0, 1, 2].map((axis) => {
    const column = [0, 1, 2].map((r) => affine[4 * r + axis]);
    return (sign * column[row]) / Math.hypot(...column);
  });
  const axis = cosines.reduce((best, c, a) => (Math.abs(c) > Math.abs(cosines[best]) ? a : best), 0);
  return { axis, step: cosines[axis] > 0 ? 1 : -1 };
}

/** 1 where the neighbour towards `code` is positive; beyond the scan it is 0. */
function expectedShift(code: string): Uint8Array {
  const { axis, step } = stepTowards(code);
  const stride = [1, size[0], size[0] * size[1]][axis];
  return Uint8Array.from(scan.voxels, (_, at) => {
    const index = Math.floor(at / stride) % size[axis];
    const inside = index + step >= 0 && index + step < size[axis];
    return inside && scan.voxels[at + step * stride] > 0 ? 1 : 0;
  });
}

const shifts = ([0, 1, 2] as const).map(shiftModel);

describe('axes of the tensor', () => {
  it.each(allAxisCodes)('%s: the next voxel along each tensor axis is the next one in that direction', async (axes) => {
    const whole = { patch: [size[2], size[1], size[0]], overlap: [0, 0, 0], axes };
    for (const [axis, model] of shifts.entries()) {
      const { labels } = await predictScan(await foreign(model, whole), scan);
      expect(labels.affine).toEqual(affine);
      expect([...labels.voxels], `tensor axis ${axis}, towards ${axes[axis]}`).toEqual([...expectedShift(axes[axis])]);
    }
  });

  it.each(['SPL', 'RAS', 'LPS', 'AIR'])('%s: windows begin at the first voxel of the tensor', async (axes) => {
    // Sure of the first voxel of a window, and against all others so little that the mean of eight windows is for it.
    const corner = Array.from({ length: 4 * 5 * 6 }, (_, at) => (at === 0 ? 50 : -0.1));
    const order = axes.split('').map((code) => ({ L: 6, R: 6, P: 5, A: 5, S: 4, I: 4 })[code] ?? 0);
    const nodes = [
      { op: 'Mul', inputs: ['x', 'zero'], outputs: ['none'] },
      { op: 'Add', inputs: ['none', 'corner'], outputs: ['one'] },
      { op: 'Concat', inputs: ['none', 'one'], outputs: ['y'], attributes: { axis: { kind: 'int', value: 1 } } },
    ] as const;
    const tensors = [floatTensor('zero', [], [0]), floatTensor('corner', [1, 1, ...order], corner)];
    const model = onnxModel(nodes, tensors, { inputShape: [1, 1, ...order], outputShape: [1, 2, ...order] });
    const { labels } = await predictScan(await foreign(model, { axes, patch: [6, 5, 4], overlap: [0, 0, 0] }), scan);
    const marked = [...labels.voxels.keys()].filter((at) => labels.voxels[at] === 1);
    // Stored sizes 7, 9, 8 hold windows of 4, 5, 6: two along each axis, the second moved back to end at the edge.
    const starts = axes.split('').map((code) => {
      const { axis, step } = stepTowards(code);
      const window = { L: 6, R: 6, P: 5, A: 5, S: 4, I: 4 }[code] ?? 0;
      const length = size[axis];
      return { axis, at: [0, length - window].map((start) => (step === 1 ? start : length - 1 - start)) };
    });
    const expected = starts[0].at.flatMap((a) =>
      starts[1].at.flatMap((b) =>
        starts[2].at.map((c) => {
          const index = [0, 0, 0];
          [a, b, c].forEach((value, n) => (index[starts[n].axis] = value));
          return index[0] + size[0] * (index[1] + size[1] * index[2]);
        }),
      ),
    );
    expect(marked).toEqual(expected.sort((p, q) => p - q));
  });

  it.each(['SPL', 'RAS', 'PIL'])('%s: left is left, front is front, head is head', async (axes) => {
    // Channel 1 where the index along the axis is in the second half: the half towards the axis's code.
    const lengths: Readonly<Record<string, number>> = { L: 8, R: 8, P: 9, A: 9, S: 7, I: 7 };
    const shape = axes.split('').map((code) => lengths[code]);
    for (const axis of [0, 1, 2]) {
      const ramp = Array.from({ length: shape[axis] }, (_, i) => i - shape[axis] / 2 + 0.25);
      const nodes = [
        { op: 'Mul', inputs: ['x', 'zero'], outputs: ['none'] },
        { op: 'Add', inputs: ['none', 'ramp'], outputs: ['one'] },
        { op: 'Concat', inputs: ['none', 'one'], outputs: ['y'], attributes: { axis: { kind: 'int', value: 1 } } },
      ] as const;
      const along = [1, 1, 1, 1, 1];
      along[2 + axis] = shape[axis];
      const model = onnxModel(nodes, [floatTensor('zero', [], [0]), floatTensor('ramp', along, ramp)]);
      const { labels } = await predictScan(await foreign(model, { axes, patch: [8, 9, 7], overlap: [0, 0, 0] }), scan);
      const centres = [0, 1].map((value) => meanAlong(labels.voxels, value, axes[axis]));
      expect(centres[1] - centres[0], `${axes[axis]}: millimetres between the halves`).toBeGreaterThan(3);
    }
  });
});

/** Mean coordinate of the voxels of a class towards a code, in millimetres of the world. */
function meanAlong(voxels: Uint8Array, value: number, code: string): number {
  const [row, sign] = world[code];
  let sum = 0;
  let count = 0;
  voxels.forEach((one, at) => {
    if (one !== value) return;
    const [i, j, k] = [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / (size[0] * size[1]))];
    sum += sign * (affine[4 * row] * i + affine[4 * row + 1] * j + affine[4 * row + 2] * k + affine[4 * row + 3]);
    count++;
  });
  expect(count).toBeGreaterThan(0);
  return sum / count;
}
