/**
 * Convolution kernels against the float64 reference, on shapes that fit no tile: every tile of both tables, tensors in
 * parts, and equality of runs.
 */
import { type Attributes, elementCount, Graph, type GraphNode, runReference, type Shape } from '@quickcolumn/graph';
import { afterAll, describe, expect, it } from 'vitest';
import type { GpuDevice } from '../device.js';
import type { GpuTensor, Kernel } from '../kernel.js';
import { runKernels, testContext } from '../kernels.test.kit.js';
import { testDevice } from '../software.test.kit.js';
import { makeTensor } from '../tensors.js';
import { conv3d, conv3dInputGradient, conv3dWeightGradient, convTranspose3d } from './conv3d.js';
import { type ConvolutionOp, geometryOf } from './geometry.js';
import { type ConvolutionContext, type ConvolutionTile, candidates, type GradientTile, tileKey } from './tiles.js';
import { weightGradientKernels } from './weight-gradient.js';

const found: GpuDevice | string = await testDevice();
const skipped = typeof found === 'string';
const why = skipped ? ` (skipped: ${found})` : '';
const gpu = found as GpuDevice;
afterAll(() => {
  if (!skipped) gpu.device.destroy();
});

const builders = { conv3d, conv3dInputGradient, conv3dWeightGradient, convTranspose3d };
type Op = keyof typeof builders;
type Build = (context: ConvolutionContext, op: ConvolutionOp) => Kernel[];

function signed(count: number, seed: number): Float32Array {
  let state = seed * 7919 + 1;
  return Float32Array.from({ length: count + 8 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2147483648 - 1;
  }).subarray(8);
}

interface Options {
  readonly attributes?: Attributes;
  readonly context?: Partial<ConvolutionContext>;
  /** Bytes of a binding. */
  readonly most?: number;
  readonly build?: Build;
}

function prepare(op: Op, shapes: readonly Shape[], { attributes = {}, context, most, build }: Options) {
  const graph = new Graph();
  const nodes = shapes.map((shape, i) => graph.input(`x${i}`, shape));
  const node: GraphNode = graph.apply(op, nodes, attributes);
  graph.output('y', node);
  const limits = { ...gpu.limits, maxStorageBufferBindingSize: most ?? gpu.limits.maxStorageBufferBindingSize };
  const weightsAt = op === 'conv3dWeightGradient' ? -1 : 1;
  const inputs = shapes.map((shape, i) => makeTensor(shape, i === weightsAt ? 'plain' : 'blocked', { limits }));
  const output = makeTensor(node.shape, weightsAt < 0 ? 'plain' : 'blocked', { limits });
  const kernels = (build ?? builders[op])({ ...testContext(gpu), ...context }, { node, inputs, output });
  const values = shapes.map((shape, i) => signed(elementCount(shape), i + 1));
  const data = new Map<GpuTensor, Float32Array>(inputs.map((tensor, i) => [tensor, values[i]]));
  const expected = (): Float64Array =>
    runReference(graph, new Map(values.map((value, i) => [`x${i}`, value]))).get('y')?.data as Float64Array;
  const run = async (): Promise<Float32Array> => (await runKernels(gpu, kernels, { data, results: [output] }))[0];
  return { inputs, output, expected, run };
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
const gradientTiles: readonly GradientTile[] = [
  { columns: 4, blocks: 2, lanes: 4, wholePlane: true, join: false, workgroups: 32 },
  { columns: 1, blocks: 2, lanes: 64, wholePlane: false, join: true, workgroups: 2048 },
  { columns: 2, blocks: 1, lanes: 8, wholePlane: true, join: true, workgroups: 64 },
];
const withTile =
  (tile: GradientTile): Build =>
  (context, { node, inputs: [x, dy], output }) => {
    const { kernel, stride } = node.attributes;
    const g = geometryOf(x.shape, dy.shape, { kernel: kernel as Shape, stride: Number(stride) });
    return weightGradientKernels(context, { x, dy, dw: output }, { g, tile });
  };

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
    const shapes: readonly (readonly [Shape, Shape, number])[] = [
      [[1, 5, 5, 9, 11], [20, 5, 3, 3, 3], 1],
      [[1, 6, 3, 5, 7], [36, 6, 1, 1, 1], 1],
      [[1, 5, 4, 6, 10], [20, 5, 2, 2, 2], 2],
    ];
    for (const [x, w, stride] of shapes) {
      const to = [x[0], w[0], ...x.slice(2).map((size) => size / stride)];
      const g = geometryOf(x, to, { kernel: w.slice(2), stride });
      const list = skipped ? [] : candidates(g, { ...testContext(gpu), software });
      for (const tile of list)
        it(`${JSON.stringify(tile)}, kernel [${w.slice(2)}]`, async () => {
          const tiles = new Map<string, ConvolutionTile>([[tileKey(g), tile]]);
          await check('conv3d', [x, w], { attributes: { stride }, context: { software, tiles } });
        });
    }
  }

  for (const tile of gradientTiles)
    it(`weight gradient with ${JSON.stringify(tile)}`, async () => {
      const build = withTile(tile);
      const kernel = [3, 3, 3];
      await check('conv3dWeightGradient', [[2, 5, 3, 5, 9], [2, 9, 3, 5, 9]], { attributes: { kernel, stride: 1 }, build }); // biome-ignore format: two shapes
      await check('conv3dWeightGradient', [[1, 3, 4, 6, 10], [1, 13, 2, 3, 5]], { attributes: { kernel: [2, 2, 2], stride: 2 }, build }); // biome-ignore format: two shapes
    });

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
