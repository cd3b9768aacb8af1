/**
 * What the convolution kernels need to know of one convolution, and the pieces of WGSL that all of them share.
 *
 * y[o, p] = Σ_{i,k} x[i, p·stride + k − pad] · w[o, i, k] over blocked images. The trap: a kernel of one voxel looks at
 * no neighbour, so its grid is taken as one long line, which wastes no part of a tile on ends of rows.
 */
import { elementCount, type OperationNode, type Shape } from '@quickcolumn/graph';
import type { GpuTensor } from '../kernels/kernel.js';
import { channelBlocks } from '../kernels/tensors.js';

export type ConvolutionName = 'conv3d' | 'conv3dInputGradient' | 'conv3dWeightGradient' | 'convTranspose3d';

/** One node to make kernels for. */
export interface ConvolutionOp<Name extends ConvolutionName = ConvolutionName> {
  readonly node: OperationNode<Name>;
  readonly inputs: readonly GpuTensor[];
  readonly output: GpuTensor;
}

export interface Geometry {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Depth, height and width of x. */
  readonly from: Shape;
  /** Depth, height and width of y. */
  readonly to: Shape;
  readonly kernel: Shape;
  readonly stride: number;
  /** Voxels before the first one on each axis. */
  readonly pad: Shape;
}

/** The convolution that takes an image x to an image y (their shapes) with this kernel and stride. */
export function geometryOf(x: Shape, y: Shape, { kernel, stride }: { kernel: Shape; stride: number }): Geometry {
  const pad = stride === 1 ? kernel.map((size) => (size - 1) / 2) : [0, 0, 0];
  const geometry = { batch: x[0], inputs: x[1], outputs: y[1], kernel, stride, pad };
  if (stride === 1 && elementCount(kernel) === 1) {
    const line = [1, 1, elementCount(x.slice(2))];
    return { ...geometry, from: line, to: line };
  }
  return { ...geometry, from: x.slice(2), to: y.slice(2) };
}

export const tapsOf = ({ kernel }: Pick<Geometry, 'kernel'>): number => elementCount(kernel);
export const inputBlocks = ({ inputs }: Pick<Geometry, 'inputs'>): number => channelBlocks(inputs);
export const outputBlocks = ({ outputs }: Pick<Geometry, 'outputs'>): number => channelBlocks(outputs);
/** Multiply-adds, counted as two; taps that fall outside are counted, too. */
export const operationsOf = (g: Geometry): number =>
  2 * g.batch * g.inputs * g.outputs * tapsOf(g) * elementCount(g.to);

/** How many blocks each of the fewest equal groups has, with at most `most` in a group. */
export function evenGroups(blocks: number, most: number): { readonly size: number; readonly groups: number } {
  const size = Math.ceil(blocks / Math.ceil(blocks / most));
  return { size, groups: Math.ceil(blocks / size) };
}

export const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Positions along one axis that a tile looks at: index, clamped index and whether it lies on the grid. */
export interface Axis {
  readonly code: string;
  /** WGSL conditions that positions lie on the grid; undefined where they always do. */
  readonly inside: readonly (string | undefined)[];
}

/**
 * Declares `${name}0 …`: positions first·stride + offset + i, clamped to the grid, i below `count`.
 * @param sure which positions are on the grid whatever `first` is
 */
export function axis(
  name: string,
  count: number,
  { at, size, sure }: { at: string; size: number; sure: (i: number) => boolean },
): Axis {
  const inside = times(count, (i) => (sure(i) ? undefined : `in_${name}${i}`));
  const code = times(count, (i) => {
    const position = `${at} + ${i}`;
    if (sure(i)) return `let ${name}${i} = ${position};`;
    return (
      `let ${name}${i} = clamp(${position}, 0, ${size - 1}); ` +
      `let in_${name}${i} = ${position} >= 0 && ${position} < ${size};`
    );
  }).join('\n');
  return { code, inside };
}

/** `value`, or zeros where a condition does not hold. */
export function guarded(value: string, ...conditions: readonly (string | undefined)[]): string {
  const tests = conditions.filter((condition) => condition !== undefined);
  return tests.length === 0 ? value : `select(vec4f(), ${value}, ${tests.join(' && ')})`;
}

/** Declares the weights of one tap between four inputs and four outputs. Packed vec4 from index `at` on. */
export function weightsOf(name: string, at: string, inputs: number): string {
  if (inputs >= 4) return `let ${name} = mat4x4f(${times(4, (i) => `w(${at} + ${i}u)`).join(', ')});`;
  return times(inputs, (i) => `let ${name}_${i} = w(${at} + ${i}u);`).join(' ');
}

/** What four inputs give four outputs through weights of `weightsOf`. */
export function product(name: string, x: string, inputs: number): string {
  if (inputs >= 4) return `${name} * ${x}`;
  return times(inputs, (i) => `${name}_${i} * ${x}.${'xyz'[i]}`).join(' + ');
}
