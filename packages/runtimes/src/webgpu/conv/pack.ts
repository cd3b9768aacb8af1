/**
 * Weights as the convolution kernels read them: a pass of its own, since weights change with every step of a training.
 *
 * Packed are vec4 over four outputs, at ((output block · input blocks + input block) · taps + tap) · 4 + input within
 * its block; channels that are not there weigh 0. Output blocks are padded to whole groups, so that a kernel with
 * several blocks an invocation reads nothing that was not written.
 */
import type { GpuTensor, Kernel } from '../kernels/kernel.js';
import { Shader } from '../kernels/shader.js';
import { type Geometry, inputBlocks, tapsOf } from './geometry.js';
import type { ConvolutionContext } from './tile-types.js';

export interface Packing {
  /** Output blocks of the packed weights, at least those of the geometry. */
  readonly blocks: number;
  /** Weights are [in, out, …] rather than [out, in, …]. */
  readonly inputsFirst?: boolean;
  /** Taps in reverse order on every axis. */
  readonly flip?: boolean;
}

export function packWeights(
  { scratch, limits }: ConvolutionContext,
  weights: GpuTensor,
  geometry: Geometry,
  { blocks, inputsFirst = false, flip = false }: Packing,
): { readonly kernel: Kernel; readonly packed: GpuTensor } {
  const taps = tapsOf(geometry);
  const { inputs, outputs } = geometry;
  const groups = inputBlocks(geometry);
  const count = blocks * groups * taps * 4;
  const packed = scratch([count * 4], 'plain');
  const element = (o: string): string =>
    inputsFirst ? `(ci * ${outputs}u + ${o}) * ${taps}u + tap` : `(${o} * ${inputs}u + ci) * ${taps}u + tap`;
  const kernel = new Shader('packWeights')
    .read('weights', weights)
    .write('packed', packed, { vec4: true })
    .add(
      `fn weight(ci: u32, co: u32, tap: u32) -> f32 { ` +
        `if (ci >= ${inputs}u || co >= ${outputs}u) { return 0.0; } return weights(${element('co')}); }`,
    )
    .buildEach({
      limits,
      count,
      body: `let tap = ${flip ? `${taps - 1}u - ` : ''}(i / 4u) % ${taps}u;
  let block = i / ${4 * taps}u;
  let ci = (block % ${groups}u) * 4u + i % 4u;
  let co = (block / ${groups}u) * 4u;
  packed_set(i, vec4f(weight(ci, co, tap), weight(ci, co + 1u, tap), weight(ci, co + 2u, tap), weight(ci, co + 3u, tap)));`,
    });
  return { kernel, packed };
}
