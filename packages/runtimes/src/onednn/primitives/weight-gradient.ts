/**
 * The weight gradient of a convolution, and the bias gradient that comes with it: a sum of the same output gradient over
 * all voxels.
 */
import { elementCount, type GraphNode, type OperationNode } from '@quickcolumn/graph';
import { argument, query } from '../library/api.js';
import type { Tensor } from '../program/program.js';
import { type Context, geometryOf, rowMajor } from './context.js';
import { flopOf, hintOf, imageForm } from './convolutions.js';
import { addHost } from './typescript-steps.js';

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
