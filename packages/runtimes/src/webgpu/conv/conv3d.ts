/**
 * Kernels of conv3d, its two gradients and convTranspose3d: packs weights and runs the kernel family that fits.
 *
 * Input gradients are convolutions with reversed taps and inputs and outputs exchanged. The trap: a strided weight gradient is also the
 * transposed convolution's, with image and gradient in exchanged roles; the graph already passes them so.
 */
import type { Shape } from '@quickcolumn/graph';
import type { GpuTensor, Kernel } from '../kernel.js';
import { directKernel } from './direct.js';
import { type ConvolutionOp, evenGroups, type Geometry, geometryOf, outputBlocks } from './geometry.js';
import { packWeights, type Packing } from './pack.js';
import { stagedKernel } from './staged.js';
import {
  type ConvolutionContext,
  type ConvolutionTile,
  chooseGradientTile,
  chooseTile,
  chooseTransposedTile,
} from './tiles.js';
import { transposedKernel } from './transposed.js';
import { weightGradientKernels } from './weight-gradient.js';

interface Operands {
  readonly label: string;
  readonly x: GpuTensor;
  readonly weights: GpuTensor;
  readonly y: GpuTensor;
}

/** The passes of one convolution with a given tile. */
function convolve(
  context: ConvolutionContext,
  { label, x, weights, y }: Operands,
  { g, tile, packing }: { g: Geometry; tile: ConvolutionTile; packing?: Omit<Packing, 'blocks'> },
): Kernel[] {
  const { size, groups } = evenGroups(outputBlocks(g), tile.blocks * (tile.kind === 'staged' ? tile.layers : 1));
  // Layers of a staged tile may each be padded.
  const layers = evenGroups(size, tile.blocks);
  const blocks = groups * layers.size * layers.groups;
  const { kernel, packed } = packWeights(context, weights, g, { ...packing, blocks });
  const operands = { label, x, packed, y };
  if (tile.kind === 'direct') return [kernel, directKernel(context, operands, { g, tile })];
  return [kernel, stagedKernel(context, operands, { g, tile })];
}

/** y = conv3d(x, w); inputs x (blocked) and w (plain, [out, in, kd, kh, kw]). */
export function conv3d(context: ConvolutionContext, { node, inputs: [x, weights], output }: ConvolutionOp): Kernel[] {
  const g = geometryOf(x.shape, output.shape, {
    kernel: weights.shape.slice(2),
    stride: Number(node.attributes['stride']),
  });
  return convolve(context, { label: 'conv3d', x, weights, y: output }, { g, tile: chooseTile(g, context) });
}

/** dx of a conv3d of stride 1; inputs dy (blocked) and w (plain, [out, in, kd, kh, kw]). */
export function conv3dInputGradient(
  context: ConvolutionContext,
  { inputs: [dy, weights], output }: ConvolutionOp,
): Kernel[] {
  const g = geometryOf(dy.shape, output.shape, { kernel: weights.shape.slice(2), stride: 1 });
  const packing = { inputsFirst: true, flip: true };
  const operands = { label: 'conv3dInputGradient', x: dy, weights, y: output };
  return convolve(context, operands, { g, tile: chooseTile(g, context), packing });
}

/** dw; inputs x and dy (blocked), output plain [out, in, kd, kh, kw]. */
export function conv3dWeightGradient(
  context: ConvolutionContext,
  { node, inputs: [x, dy], output }: ConvolutionOp,
): Kernel[] {
  const { kernel, stride } = node.attributes;
  const g = geometryOf(x.shape, dy.shape, { kernel: kernel as Shape, stride: Number(stride) });
  return weightGradientKernels(context, { x, dy, dw: output }, { g, tile: chooseGradientTile(g, context) });
}

/** y = convTranspose3d(x, w); inputs x (blocked) and w (plain, [in, out, s, s, s]). */
export function convTranspose3d(
  context: ConvolutionContext,
  { inputs: [x, weights], output }: ConvolutionOp,
): Kernel[] {
  const kernel = weights.shape.slice(2);
  const [batch, outputs, ...to] = output.shape;
  const g: Geometry = {
    batch,
    inputs: x.shape[1],
    outputs,
    from: x.shape.slice(2),
    to,
    kernel,
    stride: kernel[0],
    pad: [0, 0, 0],
  };
  const tile = chooseTransposedTile(g, context);
  const { size, groups } = evenGroups(outputBlocks(g), tile.blocks);
  const { kernel: pack, packed } = packWeights(context, weights, g, { blocks: size * groups, inputsFirst: true });
  return [pack, transposedKernel(context, { label: 'convTranspose3d', x, packed, y: output }, { g, tile })];
}
