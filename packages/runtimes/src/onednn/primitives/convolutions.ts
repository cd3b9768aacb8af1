/**
 * Convolutions and their gradients. The library chooses the layout of the weights ("packed"), images keep their
 * channels innermost; a bias and whatever follows elementwise goes into the convolution's own pass where the library
 * can do that, else into a chain behind it.
 */
import { elementCount, type GraphNode, type OperationNode, type Shape } from '@quickcolumn/graph';
import { argument, type ConvolutionTensors, type Descriptor, type Geometry, prop, query } from '../library/api.js';
import { addChain, type ChainOp, convertOthers, resolveOps, tryDescriptor, viewOf } from './chains.js';
import { type Context, geometryOf, rowMajor, suitsBfloat16 } from './context.js';
import { addHost } from './typescript-steps.js';
import type { Tensor } from '../program/program.js';

/** Images of a convolution are of one type; its result may be float32 while they are bfloat16. */
const imageForm = (context: Context, weights: Shape): { layout: 'image'; type: 'float32' | 'bfloat16' } => ({
  layout: 'image',
  type: context.options.bfloat16 && suitsBfloat16(weights) ? 'bfloat16' : 'float32',
});

/** Multiply-adds of a convolution count as two. */
function flopOf(weights: Shape, coarse: Shape): number {
  return 2 * coarse[0] * elementCount(coarse.slice(2)) * elementCount(weights);
}

interface Packed {
  readonly tensor: Tensor;
  readonly descriptor: Descriptor;
}

/** The float32 weights in the layout and type that a primitive wants. `strides` describe the flat weights. */
function pack(context: Context, weights: Tensor, dims: Shape, strides: readonly number[], wanted: bigint): Packed {
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
function splitBias(context: Context, ops: readonly ChainOp[]): { bias?: Tensor; rest: readonly ChainOp[] } {
  const isSum = (op: ChainOp): boolean => op.kind === 'binary' && op.operation === 'add';
  const at = ops.findIndex((op) => op.kind === 'binary' && op.operation === 'add' && op.other.kind === 'channel');
  const op = ops[at];
  if (op?.kind !== 'binary' || op.other.kind !== 'channel' || !ops.slice(0, at).every(isSum)) return { rest: ops };
  const { of } = op.other;
  return { bias: 'op' in of ? context.flat(of) : of, rest: ops.filter((_, i) => i !== at) };
}

function runForward(context: Context, forward: Forward): void {
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
function hintOf(context: Context, tensors: ConvolutionTensors, geometry: Geometry): bigint {
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

/** The weight gradient, and with it the bias gradient if a node asks for the sum of the same dy over all voxels. */
export function addWeightGradient(
  context: Context,
  node: OperationNode<'conv3dWeightGradient'>,
  biasNode?: GraphNode,
): void {
  const { library } = context.program;
  const [x, dy] = node.inputs;
  const form = imageForm(context, node.shape);
  const image = context.get(x, form);
  const gradient = context.get(dy, form);
  const result = context.produce(node);
  if (node.shape.slice(2).every((size) => size === 1)) {
    addPointwiseGradient(context, image, gradient, result);
    if (biasNode) addChannelSum(context, gradient, context.produce(biasNode));
    return;
  }
  const geometry = geometryOf(node.shape.slice(2), node.attributes.stride);
  const src = context.describe(image);
  const dst = context.describe(gradient);
  const bias = biasNode ? context.program.tensor(biasNode.shape, 'flat') : undefined;
  const biasDescriptor = bias ? context.describe(bias) : null;
  const hint = hintOf(
    context,
    { src, weights: library.api.describe(node.shape, image.type, 'any'), bias: null, dst },
    geometry,
  );
  const tensors = { src, weights: library.api.describe(node.shape, 'float32', 'any'), bias: biasDescriptor, dst };
  const descriptor = context.withAttributes((attributes) =>
    library.api.convolutionBackwardWeights(tensors, geometry, hint, attributes),
  );
  const made = library.queryDescriptor(descriptor, query.diffWeights);
  const packed = context.program.tensor(node.shape, 'packed', { bytes: library.bytesOf(made) });
  context.program.addPrimitive(
    'conv3dWeightGradient',
    descriptor,
    [
      { argument: argument.src, tensor: image, descriptor: src, role: 'read' },
      { argument: argument.diffDst, tensor: gradient, descriptor: dst, role: 'read' },
      { argument: argument.diffWeights, tensor: packed, descriptor: made, role: 'write' },
      ...(bias && biasDescriptor
        ? [{ argument: argument.diffBias, tensor: bias, descriptor: biasDescriptor, role: 'write' as const }]
        : []),
    ],
    { flop: flopOf(node.shape, dy.shape) },
  );
  context.reorder('unpack gradient', [packed, made], [result, context.describe(result)]);
  if (biasNode && bias) context.set(biasNode, bias);
}

/** Most values that the parts of a pointwise gradient may have before they are summed. */
const partialValues = 1 << 18;

/**
 * The weight gradient of a 1×1×1 convolution, dyᵀ·x over all voxels, as one matrix product for each of many stretches
 * of voxels; their sum is small work. Three to eight times faster than the library's convolution gradient.
 */
function addPointwiseGradient(context: Context, image: Tensor, gradient: Tensor, result: Tensor): void {
  const { api } = context.program.library;
  const [outputs, inputs] = result.shape;
  const rows = elementCount(image.shape) / inputs;
  const most = Math.max(1, Math.min(64, Math.floor(partialValues / (inputs * outputs))));
  let parts = most;
  while (rows % parts !== 0) parts--;
  const length = rows / parts;
  const left = api.describe([parts, outputs, length], gradient.type, [length * outputs, 1, outputs]);
  const right = api.describe([parts, length, inputs], image.type, [length * inputs, inputs, 1]);
  const dims = [parts, outputs, inputs];
  const product = api.describe(dims, 'float32', rowMajor(dims));
  const partial = parts === 1 ? result : context.program.tensor(dims, 'flat');
  const descriptor = context.withAttributes((attributes) => api.matmul(left, right, product, attributes));
  context.program.addPrimitive(
    'conv3dWeightGradient',
    descriptor,
    [
      { argument: argument.src, tensor: gradient, descriptor: left, role: 'read' },
      { argument: argument.weights, tensor: image, descriptor: right, role: 'read' },
      { argument: argument.dst, tensor: partial, descriptor: product, role: 'write' },
    ],
    { flop: 2 * rows * inputs * outputs },
  );
  if (parts === 1) return;
  addHost(context, 'conv3dWeightGradient', {
    inputs: [partial],
    results: [result],
    bind: (place) => {
      const [from, to] = [place.floats(partial), place.floats(result)];
      return () => {
        to.set(from.subarray(0, to.length));
        for (let at = to.length; at < from.length; at += to.length)
          for (let i = 0; i < to.length; i++) to[i] += from[at + i];
      };
    },
  });
}

/**
 * The transposed convolution with kernel = stride: the library's own where the processor multiplies matrices (AMX),
 * else one matrix product to a channel per tap whose result is then laid out on the fine grid: the library's
 * bfloat16 deconvolution is 15 times slower there.
 */
export function addTransposed(
  context: Context,
  node: OperationNode<'convTranspose3d'>,
  ops: readonly ChainOp[],
  result: Tensor,
): void {
  const { library } = context.program;
  const [x, w] = node.inputs;
  const image = context.get(x, imageForm(context, w.shape));
  const [inputs, outputs, ...kernel] = w.shape;
  const taps = elementCount(kernel);
  const weights = context.flat(w);
  const geometry = geometryOf(kernel, kernel[0]);
  const none = { ...geometry, before: [0, 0, 0], after: [0, 0, 0] };
  // Logical [out, in, …] of weights that lie as [in, out, …].
  const dims = [outputs, inputs, ...kernel];
  const strides = [taps, outputs * taps, ...rowMajor(kernel)];
  const make = (operands: ConvolutionTensors, attributes: bigint): bigint =>
    library.api.deconvolutionForward(prop.training, operands, none, attributes);
  const { bias, rest } = splitBias(context, ops);
  const flop = flopOf(w.shape, x.shape);
  const own = tryDescriptor(context, () =>
    context.withAttributes((attributes) =>
      make(
        {
          src: context.describe(image),
          weights: library.api.describe(dims, image.type, 'any'),
          bias: null,
          dst: context.describe(result),
        },
        attributes,
      ),
    ),
  );
  const matrix = own === undefined ? false : library.implementation(own).includes('amx');
  if (own !== undefined) library.destroyDescriptor(own);
  if (matrix || image.type !== result.type) {
    runForward(context, { op: 'convTranspose3d', make, image, weights, dims, strides, bias, rest, result, flop });
    return;
  }
  addTapProduct(context, { image, weights, shape: w.shape, result, flop });
  const remaining: ChainOp[] = [
    ...(bias ? [{ kind: 'binary', operation: 'add', other: { kind: 'channel', of: bias } } as const] : []),
    ...convertOthers(context, rest, result),
  ];
  if (remaining.length > 0) addChain('convTranspose3d chain', context, result, remaining, result);
}

function addTapProduct(
  context: Context,
  {
    image,
    weights,
    shape,
    result,
    flop,
  }: { image: Tensor; weights: Tensor; shape: Shape; result: Tensor; flop: number },
): void {
  const { library } = context.program;
  const { api } = library;
  const [inputs, outputs, s] = shape;
  const taps = s ** 3;
  // [in, out, tap] → [in, tap, out]
  const ordered = context.program.tensor([inputs, taps, outputs], 'flat');
  const dims = [inputs, taps, outputs];
  context.reorder(
    'order taps',
    [weights, api.describe(dims, 'float32', [outputs * taps, 1, taps])],
    [ordered, api.describe(dims, 'float32', rowMajor(dims))],
  );
  const [n, , d, h, width] = image.shape;
  const rows = n * d * h * width;
  const columns = taps * outputs;
  const src = api.describe([rows, inputs], image.type, [inputs, 1]);
  const product = context.program.tensor([rows, columns], 'flat', { type: image.type });
  const dst = api.describe([rows, columns], image.type, [columns, 1]);
  const descriptor = context.withAttributes((attributes) =>
    api.matmul(src, api.describe([inputs, columns], image.type, 'any'), dst, attributes),
  );
  const wanted = library.queryDescriptor(descriptor, query.weights);
  const packed = pack(context, ordered, [inputs, columns], [columns, 1], wanted);
  context.program.addPrimitive(
    'convTranspose3d',
    descriptor,
    [
      { argument: argument.src, tensor: image, descriptor: src, role: 'read' },
      { argument: argument.weights, tensor: packed.tensor, descriptor: packed.descriptor, role: 'read' },
      { argument: argument.dst, tensor: product, descriptor: dst, role: 'write' },
    ],
    { flop },
  );
  // [n·d, h, w, kd, kh, kw·out] → the fine grid, in runs of kw·out values.
  const run = s * outputs;
  const grid = [n * d, h, width, s, s, run];
  const fine = [s * h * s * width * run, s * width * run, run, h * s * width * run, width * run, 1];
  context.reorder(
    'convTranspose3d lay out',
    [product, api.describe(grid, image.type, rowMajor(grid))],
    [result, api.describe(grid, result.type, fine)],
  );
}

/** Σ over samples and voxels of an image: ones times the image as a matrix [voxels, channels]. */
export function addChannelSum(context: Context, image: Tensor, result: Tensor, sample?: number): void {
  const { library } = context.program;
  const { api } = library;
  const [n, channels, ...grid] = image.shape;
  const rows = (sample === undefined ? n : 1) * elementCount(grid);
  const ones = context.ones(rows, image.type);
  const left = api.describe([1, rows], image.type, [rows, 1]);
  const right = api.describe([rows, channels], image.type, [channels, 1]);
  const sums = api.describe([1, channels], 'float32', [channels, 1]);
  const descriptor = context.withAttributes((attributes) => api.matmul(left, right, sums, attributes));
  context.program.addPrimitive('channelSum', descriptor, [
    { argument: argument.src, tensor: ones, descriptor: left, role: 'read' },
    {
      argument: argument.weights,
      tensor: image,
      descriptor: right,
      role: 'read',
      offset: (sample ?? 0) * (image.bytes / n),
    },
    { argument: argument.dst, tensor: result, descriptor: sums, role: 'write', offset: (sample ?? 0) * channels * 4 },
  ]);
}

/** γ/√(variance + ε) and β − mean·scale: batch norm with given statistics as one multiply-add a channel. */
export function addFoldedNorm(context: Context, node: OperationNode<'batchNorm'>): { scale: Tensor; shift: Tensor } {
  const [, ...perChannel] = node.inputs;
  const [mean, variance, gamma, beta] = perChannel.map((input) => context.flat(input));
  const scale = context.program.tensor(gamma.shape, 'flat');
  const shift = context.program.tensor(gamma.shape, 'flat');
  const epsilon = node.attributes.epsilon;
  addHost(context, 'batchNorm', {
    inputs: [mean, variance, gamma, beta],
    results: [scale, shift],
    bind: (place) => {
      const [m, v, g, b] = [mean, variance, gamma, beta].map((tensor) => place.floats(tensor));
      const [a, k] = [scale, shift].map((tensor) => place.floats(tensor));
      return () => {
        for (let c = 0; c < a.length; c++) {
          a[c] = g[c] / Math.sqrt(v[c] + epsilon);
          k[c] = b[c] - m[c] * a[c];
        }
      };
    },
  });
  return { scale, shift };
}
