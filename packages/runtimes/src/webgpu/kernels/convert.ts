/** Passes that move values without computing: between layouts, copies, and constants. */
import { elementCount, type Shape } from '@quickcolumn/graph';
import type { GpuTensor, Kernel, KernelContext } from './kernel.js';
import { Shader } from './shader.js';
import { channelBlocks, storedElements } from './tensors.js';

/** Sizes of an image of blocks: samples, channels, blocks of 4 channels, voxels, and all of its vec4. */
export function blockedSizes(shape: Shape): { n: number; c: number; blocks: number; voxels: number; count: number } {
  const [n, c, ...grid] = shape;
  const voxels = elementCount(grid);
  const blocks = channelBlocks(c);
  return { n, c, blocks, voxels, count: n * blocks * voxels };
}

/** `let n, b, v` (sample, block, voxel) from the index i of a vec4. */
export function blockedIndex({ blocks, voxels }: { blocks: number; voxels: number }): string {
  return `let v = i % ${voxels}u; let b = (i / ${voxels}u) % ${blocks}u; let n = i / ${blocks * voxels}u;`;
}

/** A numeric literal of type f32. */
export function float(value: number): string {
  return value < 0 || Object.is(value, -0) ? `(${value}f)` : `${value}f`;
}

export function convert({ limits }: KernelContext, from: GpuTensor, to: GpuTensor): Kernel {
  const sizes = blockedSizes(from.shape);
  const { c, voxels, count } = sizes;
  const base = `${blockedIndex(sizes)} let base = (n * ${c}u + b * 4u) * ${voxels}u + v;`;
  const shader = new Shader(`to ${to.layout}`).read('x', from).write('y', to);
  const lanes = [0, 1, 2, 3];
  if (to.layout === 'plain') {
    const set = lanes.map((lane) => {
      const store = `y_set(base + ${lane * voxels}u, value[${lane}]);`;
      return lane < c % 4 || c % 4 === 0 ? store : `if (b * 4u + ${lane}u < ${c}u) { ${store} }`;
    });
    return shader.buildEach({ limits, count, body: `${base} let value = x(i); ${set.join(' ')}` });
  }
  const values = lanes.map((lane) => {
    const load = `x(base + ${lane * voxels}u)`;
    return lane < c % 4 || c % 4 === 0 ? load : `select(0.0, ${load}, b * 4u + ${lane}u < ${c}u)`;
  });
  return shader.buildEach({ limits, count, body: `${base} y_set(i, vec4f(${values.join(', ')}));` });
}

/** Every element one value; channels beyond the last of an image stay 0. */
export function fill({ limits }: KernelContext, to: GpuTensor, value: number): Kernel {
  const { layout, shape } = to;
  const shader = new Shader('constant').write('y', to, { vec4: true });
  const whole = `vec4f(${float(value)})`;
  if (layout === 'plain') {
    return shader.buildEach({ limits, count: storedElements(shape, layout) / 4, body: `y_set(i, ${whole});` });
  }
  const sizes = blockedSizes(shape);
  const masked = `${blockedIndex(sizes)} y_set(i, ${maskChannels(whole, sizes)});`;
  return shader.buildEach({ limits, count: sizes.count, body: masked });
}

/** A vec4 expression with 0 in the channels beyond the last, given `b`. */
export function maskChannels(value: string, { c, blocks }: { c: number; blocks: number }): string {
  if (c % 4 === 0) return value;
  const kept = [0, 1, 2, 3].map((lane) => String(lane < c % 4)).join(', ');
  return blocks === 1
    ? `select(vec4f(), ${value}, vec4<bool>(${kept}))`
    : `select(vec4f(), ${value}, vec4<bool>(${kept}) | vec4<bool>(b < ${blocks - 1}u))`;
}

/** A plain copy in f32, of labels too. */
export function widen({ limits }: KernelContext, from: GpuTensor, to: GpuTensor): Kernel {
  const count = elementCount(to.shape);
  const shader = new Shader('copy').read('x', from).write('y', to);
  return shader.buildEach({ limits, count, body: 'y_set(i, f32(x(i)));' });
}
