/** The transposed convolution: the library's own, or a matrix product where that is far faster. */
import { elementCount, type OperationNode, type Shape } from '@quickcolumn/graph';
import { argument, type ConvolutionTensors, prop, query } from '../library/api.js';
import type { Tensor } from '../program/program.js';
import { addChain, type ChainOp, convertOthers, tryDescriptor } from './chains.js';
import { type Context, geometryOf, rowMajor } from './context.js';
import { flopOf, imageForm, pack, runForward, splitBias } from './convolutions.js';

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
