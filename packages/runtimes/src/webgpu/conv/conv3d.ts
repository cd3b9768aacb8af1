/**
 * Kernels of conv3d, its two gradients and convTranspose3d: packs weights and runs the kernel family that fits.
 *
 * Input gradients are convolutions with reversed taps and inputs and outputs exchanged. The trap: a strided weight
 * gradient is also the transposed convolution's, with image and gradient in exchanged roles; the graph already passes
 * them so.
 */
import type { GpuTensor, Kernel } from '../kernels/kernel.js';
import { directKernel } from './direct.js';
import {
  type ConvolutionName,
  type ConvolutionOp,
  evenGroups,
  type Geometry,
  geometryOf,
  outputBlocks,
} from './geometry.js';
import { type Packing, packWeights } from './pack.js';
import { stagedKernel } from './staged.js';
import type { ConvolutionContext, TileFamily } from './tile-types.js';
import { chooseTile } from './tiles.js';
import { transposedKernel } from './transposed.js';
import { weightGradientKernels } from './weight-gradient.js';

const families: Readonly<Record<ConvolutionName, TileFamily>> = {
  conv3d: 'convolution',
  conv3dInputGradient: 'convolution',
  conv3dWeightGradient: 'gradient',
  convTranspose3d: 'transposed',
};

/** What the tile of a convolution depends on. */
export function tileQuestion(op: ConvolutionOp): { family: TileFamily; g: Geometry; image: GpuTensor } {
  return { family: families[op.node.op], g: geometryFor(op), image: op.inputs[0] };
}

/** A record by name and a node by name belong together, which the compiler does not follow through a union. */
const geometryFor = (op: ConvolutionOp): Geometry => (geometries[op.node.op] as (op: ConvolutionOp) => Geometry)(op);

const geometries: { readonly [Name in ConvolutionName]: (op: ConvolutionOp<Name>) => Geometry } = {
  conv3d: ({ node, inputs: [x, weights], output }) =>
    geometryOf(x.shape, output.shape, { kernel: weights.shape.slice(2), stride: node.attributes.stride }),
  conv3dInputGradient: ({ inputs: [dy, weights], output }) =>
    geometryOf(dy.shape, output.shape, { kernel: weights.shape.slice(2), stride: 1 }),
  conv3dWeightGradient: ({ node, inputs: [x, dy] }) => geometryOf(x.shape, dy.shape, node.attributes),
  convTranspose3d: ({ inputs: [x, weights], output }) => {
    const kernel = weights.shape.slice(2);
    const [batch, outputs, ...to] = output.shape;
    const sizes = { batch, inputs: x.shape[1], outputs, from: x.shape.slice(2), to };
    return { ...sizes, kernel, stride: kernel[0], pad: [0, 0, 0] };
  },
};

/** The passes of conv3d or, with reversed taps, of its input gradient. */
function convolve(
  context: ConvolutionContext,
  op: ConvolutionOp<'conv3d'> | ConvolutionOp<'conv3dInputGradient'>,
  packing?: Omit<Packing, 'blocks'>,
): Kernel[] {
  const label = op.node.op;
  const [x, weights] = op.inputs;
  const g = geometryFor(op);
  const tile = chooseTile('convolution', g, x, context);
  const { size, groups } = evenGroups(outputBlocks(g), tile.blocks * (tile.kind === 'staged' ? tile.layers : 1));
  // Layers of a staged tile may each be padded.
  const layers = evenGroups(size, tile.blocks);
  const blocks = groups * layers.size * layers.groups;
  const { kernel, packed } = packWeights(context, weights, g, { ...packing, blocks });
  const operands = { label, x, packed, y: op.output };
  if (tile.kind === 'direct') return [kernel, directKernel(context, operands, { g, tile })];
  return [kernel, stagedKernel(context, operands, { g, tile })];
}

type Builder<Name extends ConvolutionName> = (context: ConvolutionContext, op: ConvolutionOp<Name>) => Kernel[];

const convolutions: { readonly [Name in ConvolutionName]: Builder<Name> } = {
  /** y = conv3d(x, w); inputs x (blocked) and w (plain, [out, in, kd, kh, kw]). */
  conv3d: (context, op) => convolve(context, op),

  /** dx of a conv3d of stride 1; inputs dy (blocked) and w (plain, [out, in, kd, kh, kw]). */
  conv3dInputGradient: (context, op) => convolve(context, op, { inputsFirst: true, flip: true }),

  /** dw; inputs x and dy (blocked), output plain [out, in, kd, kh, kw]. */
  conv3dWeightGradient(context, op) {
    const [x, dy] = op.inputs;
    const g = geometries.conv3dWeightGradient(op);
    return weightGradientKernels(context, { x, dy, dw: op.output }, { g, tile: chooseTile('gradient', g, x, context) });
  },

  /** y = convTranspose3d(x, w); inputs x (blocked) and w (plain, [in, out, s, s, s]). */
  convTranspose3d(context, op) {
    const [x, weights] = op.inputs;
    const g = geometries.convTranspose3d(op);
    const tile = chooseTile('transposed', g, x, context);
    const { size, groups } = evenGroups(outputBlocks(g), tile.blocks);
    const { kernel, packed } = packWeights(context, weights, g, { blocks: size * groups, inputsFirst: true });
    return [kernel, transposedKernel(context, { label: 'convTranspose3d', x, packed, y: op.output }, { g, tile })];
  },
};

/** The passes of one convolution or gradient. */
export function convolutionKernels(context: ConvolutionContext, op: ConvolutionOp): Kernel[] {
  return (convolutions[op.node.op] as Builder<ConvolutionName>)(context, op);
}
