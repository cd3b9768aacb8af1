/**
 * Convolution kernels against the float64 reference, on shapes that fit no tile: every tile of both tables, tensors in
 * parts, and equality of runs.
 */
import {
  type AttributesOf,
  elementCount,
  Graph,
  type InputsOf,
  type GraphNode,
  runReference,
  type Shape,
} from '@quickcolumn/graph';
import { afterAll, describe, expect, it } from 'vitest';
import type { GpuDevice } from '../device/device.js';
import type { GpuTensor } from '../kernels/kernel.js';
import { runKernels, testContext } from '../kernels/kernels.test.helpers.js';
import { testDevice } from '../device/software.test.helpers.js';
import { makeTensor } from '../kernels/tensors.js';
import { convolutionKernels, tileQuestion } from './conv3d.js';
import type { ConvolutionName as Op, ConvolutionOp } from './geometry.js';
import type { ConvolutionContext } from './tile-types.js';
import { candidates, tileKey, tileName } from './tiles.js';

const found: GpuDevice | string = await testDevice();
const skipped = typeof found === 'string';
const why = skipped ? ` (skipped: ${found})` : '';
const gpu = found as GpuDevice;
afterAll(() => {
  if (!skipped) gpu.device.destroy();
});

function signed(count: number, seed: number): Float32Array {
  let state = seed * 7919 + 1;
  return Float32Array.from({ length: count + 8 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2147483648 - 1;
  }).subarray(8);
}

interface Options {
  readonly attributes?: AttributesOf<Op>;
  readonly context?: Partial<ConvolutionContext>;
  /** Bytes of a binding. */
  readonly most?: number;
  /** Name of the tile, in place of the chosen one. */
  readonly tile?: string;
}

function prepare(op: Op, shapes: readonly Shape[], { attributes = {}, context, most, tile }: Options) {
  const graph = new Graph();
  const nodes = shapes.map((shape, i) => graph.input(`x${i}`, shape));
  const made = graph.apply(op, nodes as unknown as InputsOf<Op, GraphNode>, attributes);
  const node = made as ConvolutionOp['node'] & GraphNode;
  graph.output('y', node);
  const limits = { ...gpu.limits, maxStorageBufferBindingSize: most ?? gpu.limits.maxStorageBufferBindingSize };
  const weightsAt = op === 'conv3dWeightGradient' ? -1 : 1;
  const inputs = shapes.map((shape, i) => makeTensor(shape, i === weightsAt ? 'plain' : 'blocked', { limits }));
  const output = makeTensor(node.shape, weightsAt < 0 ? 'plain' : 'blocked', { limits });
  const question = { node, inputs, output };
  const { family, g, image } = tileQuestion(question);
  const tiles = new Map(tile === undefined ? [] : [[tileKey(family, g, image), tile]]);
  const kernels = convolutionKernels({ ...testContext(gpu), ...context, tiles }, question);
  const values = shapes.map((shape, i) => signed(elementCount(shape), i + 1));
  const data = new Map<GpuTensor, Float32Array>(inputs.map((tensor, i) => [tensor, values[i]]));
  const expected = (): Float64Array =>
    runReference(graph, new Map(values.map((value, i) => [`x${i}`, value]))).get('y')?.data as Float64Array;
  const run = async (): Promise<Float32Array> => (await runKernels(gpu, kernels, { data, results: [output] }))[0];
  return { inputs, output, expected, run, question: { family, g } };
}

async function check(op: Op, shapes: readonly Shape[], options: Options = {}): Promise<void> {
  const { expected: reference, run } = prepare(op, shapes, options);
  const [actual, expected] = [await run(), reference()];
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const error = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[i])), 0) / scale;
  expect(actual).toHaveLength(expected.length);
  // Also refuses NaN.
  expect(error).toBeLessThan(1e-5);
}

/** [samples, in, out, grid, kernel]; grids are coarse where the kernel is the stride. */
const same: readonly (readonly [number, number, number, Shape, Shape])[] = [
  [1, 1, 1, [3, 4, 5], [3, 3, 3]],
  [2, 2, 5, [3, 5, 7], [3, 3, 3]],
  [1, 5, 20, [4, 9, 10], [3, 3, 3]],
  [2, 7, 3, [1, 2, 3], [3, 3, 3]],
  [1, 16, 36, [2, 4, 8], [3, 3, 3]],
  [2, 3, 4, [3, 4, 5], [1, 1, 1]],
  [1, 9, 13, [1, 5, 7], [1, 1, 1]],
  [1, 2, 3, [5, 6, 7], [5, 5, 5]],
  [1, 3, 2, [4, 3, 5], [3, 1, 5]],
];
const strided: readonly (readonly [number, number, number, Shape, number])[] = [
  [1, 1, 4, [2, 3, 5], 2],
  [2, 5, 9, [3, 2, 3], 2],
  [1, 3, 17, [1, 2, 9], 3],
  [1, 12, 2, [2, 4, 8], 2],
];
const fine = (grid: Shape, stride: number): Shape => grid.map((size) => size * stride);
/** Names of all tiles that the adapter can run this with. */
function tilesFor(op: Op, shapes: readonly Shape[], options: Options): string[] {
  if (skipped) return [];
  const { question } = prepare(op, shapes, options);
  return candidates(question.family, question.g, { ...testContext(gpu), ...options.context }).map(tileName);
}

describe.skipIf(skipped)(`convolution kernels${why}`, () => {
  for (const software of [true, false]) {
    const kind = software ? 'tiles for a processor' : 'tiles for a card';
    const context = { software };
    for (const [n, i, o, grid, kernel] of same) {
      const x: Shape = [n, i, ...grid];
      const y: Shape = [n, o, ...grid];
      const w: Shape = [o, i, ...kernel];
      it(`${n} × ${i} → ${o} channels, [${grid}], kernel [${kernel}], ${kind}`, async () => {
        await check('conv3d', [x, w], { attributes: { stride: 1 }, context });
        await check('conv3dInputGradient', [y, w], { context });
        await check('conv3dWeightGradient', [x, y], { attributes: { kernel, stride: 1 }, context });
      });
    }
    for (const [n, i, o, grid, stride] of strided) {
      const kernel = [stride, stride, stride];
      const x: Shape = [n, i, ...fine(grid, stride)];
      const y: Shape = [n, o, ...grid];
      it(`${n} × ${i} → ${o} channels, [${grid}], stride ${stride}, ${kind}`, async () => {
        await check('conv3d', [x, [o, i, ...kernel]], { attributes: { stride }, context });
        await check('convTranspose3d', [y, [o, i, ...kernel]], { context });
        await check('conv3dWeightGradient', [x, y], { attributes: { kernel, stride }, context });
      });
    }
    const kernel = [3, 3, 3];
    const tiled: readonly (readonly [Op, readonly [Shape, Shape], AttributesOf<Op>])[] = [
      ['conv3d', [[1, 5, 5, 9, 11], [20, 5, 3, 3, 3]], { stride: 1 }],
      ['conv3d', [[1, 6, 3, 5, 7], [36, 6, 1, 1, 1]], { stride: 1 }],
      ['conv3d', [[1, 5, 4, 6, 10], [20, 5, 2, 2, 2]], { stride: 2 }],
      ['convTranspose3d', [[1, 5, 2, 3, 5], [5, 9, 2, 2, 2]], {}],
      ['conv3dWeightGradient', [[2, 5, 3, 5, 9], [2, 9, 3, 5, 9]], { kernel, stride: 1 }],
      ['conv3dWeightGradient', [[1, 3, 4, 6, 10], [1, 13, 2, 3, 5]], { kernel: [2, 2, 2], stride: 2 }],
    ]; // biome-ignore format: a table
    for (const [op, shapes, attributes] of tiled)
      for (const tile of tilesFor(op, shapes, { attributes, context }))
        it(`${op} [${shapes[1]}] by ${tile}`, async () => {
          await check(op, shapes, { attributes, context, tile });
        });
  }

  it('tensors in parts', async () => {
    const [x, w]: Shape[] = [[1, 5, 4, 5, 7], [6, 5, 3, 3, 3]]; // biome-ignore format: two shapes
    const y = [1, 6, 4, 5, 7];
    const most = 1536;
    const { inputs } = prepare('conv3d', [x, w], { attributes: { stride: 1 }, most });
    expect(inputs.map(({ parts }) => parts.length)).toEqual([3, 3]);
    await check('conv3d', [x, w], { attributes: { stride: 1 }, most });
    await check('conv3dInputGradient', [y, w], { most });
    await check('conv3dWeightGradient', [x, y], { attributes: { kernel: [3, 3, 3], stride: 1 }, most });
    await check('convTranspose3d', [[1, 3, 2, 3, 3], [3, 5, 2, 2, 2]], { most }); // biome-ignore format: two shapes
  });

  it('two runs give the same bits', async () => {
    for (const software of [true, false]) {
      const [x, y]: Shape[] = [[2, 5, 6, 7, 9], [2, 9, 6, 7, 9]]; // biome-ignore format: two shapes
      const attributes = { kernel: [3, 3, 3], stride: 1 };
      const { run } = prepare('conv3dWeightGradient', [x, y], { attributes, context: { software } });
      expect(await run()).toEqual(await run());
      const forward = prepare('conv3d', [x, [9, 5, 3, 3, 3]], { attributes: { stride: 1 }, context: { software } });
      expect(await forward.run()).toEqual(await forward.run());
    }
  });
});
