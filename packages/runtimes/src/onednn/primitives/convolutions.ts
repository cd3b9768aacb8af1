/**
 * Convolutions and their input gradient, and what all kinds of convolution share. The library chooses the layout of the
 * weights ("packed"), images keep their channels innermost; a bias and whatever follows elementwise goes into the
 * convolution's own pass where the library can do that, else into a chain behind it.
 */
import { elementCount, type OperationNode, type Shape } from '@quickcolumn/graph';
import { argument, type ConvolutionTensors, type Descriptor, type Geometry, prop, query } from '../library/api.js';
import { addChain, type ChainOp, convertOthers, resolveOps, tryDescriptor, viewOf } from './chains.js';
import { type Context, geometryOf, rowMajor, suitsBfloat16 } from './context.js';
import type { Tensor } from '../program/program.js';

/** Images of a convolution are of one type; its result may be float32 while they are bfloat16. */
export const imageForm = (context: Context, weights: Shape): { layout: 'image'; type: 'float32' | 'bfloat16' } => ({
  layout: 'image',
  type: context.options.bfloat16 && suitsBfloat16(weights) ? 'bfloat16' : 'float32',
});

/** Multiply-adds of a convolution count as two. */
export function flopOf(weights: Shape, coarse: Shape): number {
  return 2 * coarse[0] * elementCount(coarse.slice(2)) * elementCount(weights);
}

interface Packed {
  readonly tensor: Tensor;
  readonly descriptor: Descriptor;
}

/** The float32 weights in the layout and type that a primitive wants. `strides` describe the flat weights. */
export function pack(
  context: Context,
  weights: Tensor,
  dims: Shape,
  strides: readonly number[],
  wanted: bigint,
): Packed {
  const { library } = context.program;
  const packed = context.program.tensor(dims, 'packed', { bytes: library.bytesOf(wanted) });
  context.reorder('pack weights', [weights, library.api.describe(dims, weights.type, strides)], [packed, wanted]);
  return { tensor: packed, descriptor: wanted };
}

/** A convolution, its bias (the first of `ops` if that adds one) and the rest of a chain, into `result`. */
export function addConvolution(
  context: Context,
  node: OperationNode<'conv3d'>,
  ops: readonly ChainOp[],
  result: Tensor,
): void {
  const [x, w] = node.inputs;
  const image = context.get(x, imageForm(context, w.shape));
  const { bias, rest } = splitBias(context, ops);
  const geometry = geometryOf(w.shape.slice(2), node.attributes.stride);
  const make = (operands: ConvolutionTensors, attributes: bigint): bigint =>
    context.program.library.api.convolutionForward(prop.training, operands, geometry, attributes);
  const weights = context.flat(w);
  runForward(context, {
    op: 'conv3d',
    make,
    image,
    weights,
    dims: w.shape,
    strides: rowMajor(w.shape),
    bias,
    rest,
    result,
    flop: flopOf(w.shape, node.shape),
  });
}

interface Forward {
  readonly op: string;
  readonly make: (tensors: ConvolutionTensors, attributes: bigint) => bigint;
  readonly image: Tensor;
  readonly weights: Tensor;
  readonly dims: Shape;
  readonly strides: readonly number[];
  readonly bias: Tensor | undefined;
  readonly rest: readonly ChainOp[];
  readonly result: Tensor;
  readonly flop: number;
}

/** The first value per channel that is added, if nothing but sums comes before it. */
export function splitBias(context: Context, ops: readonly ChainOp[]): { bias?: Tensor; rest: readonly ChainOp[] } {
  const isSum = (op: ChainOp): boolean => op.kind === 'binary' && op.operation === 'add';
  const at = ops.findIndex((op) => op.kind === 'binary' && op.operation === 'add' && op.other.kind === 'channel');
  const op = ops[at];
  if (op?.kind !== 'binary' || op.other.kind !== 'channel' || !ops.slice(0, at).every(isSum)) return { rest: ops };
  const { of } = op.other;
  return { bias: 'op' in of ? context.flat(of) : of, rest: ops.filter((_, i) => i !== at) };
}

export function runForward(context: Context, forward: Forward): void {
  const { library } = context.program;
  const { op, make, image, weights, dims, strides, bias, result, flop } = forward;
  const rest = convertOthers(context, forward.rest, result);
  const view = viewOf(result, rest);
  const dst = context.describe(result);
  const src = context.describe(image);
  const biasDescriptor = bias ? context.describe(bias) : null;
  const { postOps, operands } = resolveOps(context, rest, view);
  const weightType = image.type;
  const create = (withOps: boolean): bigint => {
    const attributes = library.attributes(withOps ? postOps : []);
    try {
      const any = library.api.describe(dims, weightType, 'any');
      return make({ src, weights: any, bias: biasDescriptor, dst }, attributes);
    } finally {
      library.destroyAttributes(attributes);
    }
  };
  // A deconvolution with post-operations works and is 200 times slower than without.
  const fuses = rest.length > 0 && op === 'conv3d';
  const fused = fuses ? tryDescriptor(context, () => create(true)) : undefined;
  const descriptor = fused ?? create(false);
  const packed = pack(context, weights, dims, strides, library.queryDescriptor(descriptor, query.weights));
  context.program.addPrimitive(
    op,
    descriptor,
    [
      { argument: argument.src, tensor: image, descriptor: src, role: 'read' },
      { argument: argument.weights, tensor: packed.tensor, descriptor: packed.descriptor, role: 'read' },
      ...(bias && biasDescriptor
        ? [{ argument: argument.bias, tensor: bias, descriptor: biasDescriptor, role: 'read' as const }]
        : []),
      ...(fused ? operands : []),
      { argument: argument.dst, tensor: result, descriptor: dst, role: 'write' },
    ],
    { flop },
  );
  if (!fused && rest.length > 0) addChain(`${op} chain`, context, result, rest, result);
}

/** The forward descriptor that gradients take as a hint; not executed. */
export function hintOf(context: Context, tensors: ConvolutionTensors, geometry: Geometry): bigint {
  const { library } = context.program;
  const hint = context.withAttributes((attributes) =>
    library.api.convolutionForward(prop.training, { ...tensors, bias: null }, geometry, attributes),
  );
  context.program.own(hint);
  return hint;
}

export function addInputGradient(context: Context, node: OperationNode<'conv3dInputGradient'>): void {
  const { library } = context.program;
  const [dy, w] = node.inputs;
  const gradient = context.get(dy, imageForm(context, w.shape));
  const result = context.produce(node);
  const geometry = geometryOf(w.shape.slice(2), 1);
  const weights = library.api.describe(w.shape, gradient.type, 'any');
  const tensors = { src: context.describe(result), weights, bias: null, dst: context.describe(gradient) };
  const hint = hintOf(context, tensors, geometry);
  const descriptor = context.withAttributes((attributes) =>
    library.api.convolutionBackwardData(tensors, geometry, hint, attributes),
  );
  const wanted = library.queryDescriptor(descriptor, query.weights);
  const packed = pack(context, context.flat(w), w.shape, rowMajor(w.shape), wanted);
  context.program.addPrimitive(
    'conv3dInputGradient',
    descriptor,
    [
      { argument: argument.diffDst, tensor: gradient, descriptor: tensors.dst, role: 'read' },
      { argument: argument.weights, tensor: packed.tensor, descriptor: packed.descriptor, role: 'read' },
      { argument: argument.diffSrc, tensor: result, descriptor: tensors.src, role: 'write' },
    ],
    { flop: flopOf(w.shape, node.shape) },
  );
}
