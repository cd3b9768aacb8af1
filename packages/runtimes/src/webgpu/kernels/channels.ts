/**
 * Joining and cutting blocked images along their channels.
 *
 * Where a cut falls between blocks of four, blocks are copied; elsewhere lanes of two neighbouring blocks are put
 * together. Joined images are written one after the other: a block that two of them share is completed by the later
 * one. So the number of joined images is not limited by the number of bindings.
 */
import type { OperationNode } from '@quickcolumn/graph';
import { blockedIndex, blockedSizes, float, maskChannels } from './convert.js';
import type { GpuTensor, Kernel, KernelContext } from './kernel.js';
import { Shader } from './shader.js';
import { channelBlocks } from './tensors.js';

/** A tensor, or the value of a constant. */
export type Joined = { readonly channels: number } & ({ readonly tensor: GpuTensor } | { readonly value: number });

export function concat({ limits }: KernelContext, images: readonly Joined[], y: GpuTensor): Kernel[] {
  const { n, voxels, blocks } = blockedSizes(y.shape);
  let start = 0;
  return images.map((image) => {
    const end = start + image.channels;
    const shift = start % 4;
    const own = channelBlocks(image.channels);
    const firstBlock = Math.floor(start / 4);
    const touched = channelBlocks(end) - firstBlock;
    const shader = new Shader('concat');
    if ('tensor' in image) shader.read('x', image.tensor);
    // Block t of the result's touched blocks takes lanes from blocks t − 1 and t of the image.
    const block = (at: string): string => `x((n * ${own}u + ${at}) * ${voxels}u + v)`;
    const before = `select(vec4f(), ${block('max(t, 1u) - 1u')}, t > 0u)`;
    const here = `select(vec4f(), ${block(`min(t, ${own - 1}u)`)}, t < ${own}u)`;
    const moved = shift === 0 ? here : lanesFrom(before, here, 4 - shift);
    const value = 'tensor' in image ? moved : constantLanes(image.value, shift, image.channels + shift);
    const index = `(n * ${blocks}u + ${firstBlock}u + t) * ${voxels}u + v`;
    const kept = [0, 1, 2, 3].map((lane) => String(lane < shift)).join(', ');
    if (shift === 0) shader.write('y', y);
    else shader.update('y', y);
    const stored = shift === 0 ? 'value' : `select(value, y(at), vec4<bool>(${kept}) & vec4<bool>(t == 0u))`;
    start = end;
    return shader.buildEach({
      limits,
      count: n * touched * voxels,
      body: `let v = i % ${voxels}u; let t = (i / ${voxels}u) % ${touched}u; let n = i / ${touched * voxels}u;
  let at = ${index}; let value = ${value}; y_set(at, ${stored});`,
    });
  });
}

/** Lanes of a constant image: channels shift … end − 1 of the touched blocks. */
function constantLanes(value: number, shift: number, end: number): string {
  const channel = 'vec4u(0u, 1u, 2u, 3u) + t * 4u';
  return `select(vec4f(), vec4f(${float(value)}), (${channel} >= vec4u(${shift}u)) & (${channel} < vec4u(${end}u)))`;
}

/** Channels start, start + 1, … of x; what lies behind the last channel of y is 0. */
export function sliceChannels(
  { limits }: KernelContext,
  node: OperationNode<'sliceChannels'>,
  x: GpuTensor,
  y: GpuTensor,
): Kernel {
  const { start } = node.attributes;
  const sizes = blockedSizes(y.shape);
  const from = blockedSizes(x.shape);
  const first = Math.floor(start / 4);
  const block = (at: string): string => `x((n * ${from.blocks}u + ${at}) * ${from.voxels}u + v)`;
  const low = block(`${first}u + b`);
  const high = block(`min(${first + 1}u + b, ${from.blocks - 1}u)`);
  const value = maskChannels(lanesFrom(low, high, start % 4), sizes);
  return new Shader('sliceChannels')
    .read('x', x)
    .write('y', y)
    .buildEach({ limits, count: sizes.count, body: `${blockedIndex(sizes)} y_set(i, ${value});` });
}

/** The vec4 that begins at lane `shift` of `low` and goes on in `high`; at 0 it is `low`. */
function lanesFrom(low: string, high: string, shift: number): string {
  switch (shift) {
    case 1:
      return `vec4f(${low}.yzw, ${high}.x)`;
    case 2:
      return `vec4f(${low}.zw, ${high}.xy)`;
    case 3:
      return `vec4f(${low}.w, ${high}.xyz)`;
    default:
      return low;
  }
}
