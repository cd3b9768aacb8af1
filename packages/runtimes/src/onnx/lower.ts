/**
 * Lowers a Quickcolumn graph to standard ONNX operators (opset 17), gradients and optimiser included.
 *
 * One rule per operation. Convolution and bias become one Conv; everything else maps one to one or to a few
 * operators that ONNX Runtime runs on all threads. Batch statistics are sums over the last axis of [N, C, V], which
 * ONNX Runtime reduces in parallel; products summed per channel are the diagonal of a matrix product.
 */
import {
  type Graph,
  type GraphNode,
  type InputsOf,
  liveNodes,
  type OperationName,
  type OperationNode,
  resizeMatrix,
  type Shape,
} from '@quickcolumn/graph';
import { Emitter, floatAttribute } from './emitter.js';
import type { OnnxGraph, OnnxValue } from './proto.js';
import { emitWeightGradient } from './weight-gradient.js';

interface Context {
  readonly out: Emitter;
  readonly name: (node: GraphNode) => string;
  /** Nodes that read a node. */
  readonly readers: ReadonlyMap<number, readonly GraphNode[]>;
  /** Ids of nodes that leave the graph as an output or a variable's next value. */
  readonly published: ReadonlySet<number>;
  /** Names of the index outputs of max pools, by node id. */
  readonly poolIndices: Map<number, string>;
}

/** Emits a node, given the names of its inputs; the result is the name of its value. */
type Rule<Op extends OperationName> = (
  node: OperationNode<Op>,
  inputs: InputsOf<Op, string>,
  context: Context,
) => string;

const same =
  (op: string) =>
  (_node: GraphNode, inputs: readonly string[], { out }: Context): string =>
    out.emit(op, inputs);

/** [C] → [C, 1, 1, 1], which broadcasts over [N, C, D, H, W]. */
const perChannel = (out: Emitter, name: string, channels: number): string => out.reshape(name, [channels, 1, 1, 1]);

const flat = (out: Emitter, name: string, shape: Shape): string =>
  out.reshape(name, [shape[0], shape[1], voxels(shape)]);
const voxels = (shape: Shape): number => shape.slice(2).reduce((product, size) => product * size, 1);

const affine: Rule<'affine'> = (node, [x], { out }) => {
  const { scale, offset } = node.attributes;
  const scaled = scale === 1 ? x : out.emit('Mul', [x, out.float(scale)]);
  return offset === 0 && scale !== 1 ? scaled : out.emit('Add', [scaled, out.float(offset)]);
};

function conv(node: OperationNode<'conv3d'>, inputs: readonly string[], out: Emitter): string {
  const kernel = node.inputs[1].shape.slice(2);
  const { stride } = node.attributes;
  const pads = stride === 1 ? kernel.map((k) => (k - 1) / 2) : [0, 0, 0];
  return out.emit('Conv', inputs, {
    kernel_shape: kernel,
    strides: [stride, stride, stride],
    pads: [...pads, ...pads],
  });
}

/** A 1×1×1 convolution to one channel per tap, then the taps become voxels: faster than ConvTranspose on the CPU. */
function convTranspose(node: OperationNode<'convTranspose3d'>, [x, w, bias]: readonly string[], out: Emitter): string {
  const [n, channels, ...to] = node.shape;
  const [inputs, , s] = node.inputs[1].shape;
  const taps = channels * s ** 3;
  const pointwise = out.emit('Transpose', [out.reshape(w, [inputs, taps])], { perm: [1, 0] });
  const operands = [x, out.reshape(pointwise, [taps, inputs, 1, 1, 1])];
  if (bias !== undefined) {
    const repeated = out.emit('Expand', [out.reshape(bias, [channels, 1]), out.ints([channels, s ** 3])]);
    operands.push(out.reshape(repeated, [taps]));
  }
  const [d, h, width] = to.map((size) => size / s);
  // Interleave along the lines first: what then moves are whole lines, many times faster than single voxels.
  const pairs = out.reshape(out.emit('Conv', operands), [n, channels * s * s, s, d * h * width]);
  const lines = out.reshape(out.emit('Transpose', [pairs], { perm: [0, 1, 3, 2] }), [
    n,
    channels,
    s,
    s,
    d,
    h,
    width * s,
  ]);
  return out.reshape(out.emit('Transpose', [lines], { perm: [0, 1, 4, 2, 5, 3, 6] }), node.shape);
}

/** A convolution whose only reader adds a bias is emitted with that bias, unless its own value is asked for too. */
const waitsForBias = (node: GraphNode, { readers, published }: Context): boolean => {
  const [reader, ...others] = readers.get(node.id) ?? [];
  return others.length === 0 && !published.has(node.id) && reader?.op === 'addChannel' && reader.inputs[0] === node;
};

const addChannel: Rule<'addChannel'> = (node, [x, bias], context) => {
  const [source] = node.inputs;
  const { out } = context;
  if ((source.op === 'conv3d' || source.op === 'convTranspose3d') && waitsForBias(source, context)) {
    const inputs = [...source.inputs.map(context.name), bias];
    return source.op === 'conv3d' ? conv(source, inputs, out) : convTranspose(source, inputs, out);
  }
  return out.emit('Add', [x, perChannel(out, bias, node.shape[1])]);
};

const conv3dInputGradient: Rule<'conv3dInputGradient'> = (node, [dy, w], { out }) => {
  const kernel = node.inputs[1].shape.slice(2);
  const swapped = out.emit('Transpose', [w], { perm: [1, 0, 2, 3, 4] });
  const flipped = kernel.every((k) => k === 1)
    ? swapped
    : out.emit('Slice', [
        swapped,
        out.ints([-1, -1, -1]),
        out.ints([-99, -99, -99]),
        out.ints([2, 3, 4]),
        out.ints([-1, -1, -1]),
      ]);
  const pads = kernel.map((k) => (k - 1) / 2);
  return out.emit('Conv', [dy, flipped], { kernel_shape: kernel, pads: [...pads, ...pads] });
};

const channelSum: Rule<'channelSum'> = (node, [x], { out }) =>
  out.reduceSum(out.reduceSum(flat(out, x, node.inputs[0].shape), [2]), [0]);

const channelSumProduct: Rule<'channelSumProduct'> = (node, [a, b], { out }) => {
  const { shape } = node.inputs[0];
  const channels = shape[1];
  const products = out.emit('com.microsoft:FusedMatMul', [flat(out, a, shape), flat(out, b, shape)], { transB: 1 });
  const eye = out.floats(`#eye_${channels}`, [channels, channels], () =>
    Float32Array.from({ length: channels * channels }, (_, i) => (i % (channels + 1) === 0 ? 1 : 0)),
  );
  return out.reduceSum(out.emit('Mul', [products, eye]), [0, 2]);
};

const channelVariance: Rule<'channelVariance'> = (node, [x, mean], { out }) => {
  const { shape } = node.inputs[0];
  const centred = out.emit('Sub', [x, perChannel(out, mean, shape[1])]);
  const squares = out.emit('ReduceSumSquare', [flat(out, centred, shape)], { axes: [2], keepdims: 0 });
  return out.emit('Mul', [out.reduceSum(squares, [0]), out.float(1 / (shape[0] * voxels(shape)))]);
};

const batchNorm: Rule<'batchNorm'> = (node, [x, mean, variance, gamma, beta], { out }) => {
  const sd = out.emit('Sqrt', [out.emit('Add', [variance, out.float(node.attributes.epsilon)])]);
  const a = out.emit('Div', [gamma, sd]);
  const b = out.emit('Sub', [beta, out.emit('Mul', [mean, a])]);
  const channels = node.shape[1];
  return out.emit('Add', [out.emit('Mul', [x, perChannel(out, a, channels)]), perChannel(out, b, channels)]);
};

const channelCombine: Rule<'channelCombine'> = (node, [u, v, a, b, k], { out }) => {
  const [ca, cb, ck] = [a, b, k].map((name) => perChannel(out, name, node.shape[1]));
  const first = out.emit('Mul', [u, ca]);
  const second = out.emit('Add', [out.emit('Mul', [v, cb]), ck]);
  return out.emit('Add', [first, second]);
};

const maxPool: Rule<'maxPool'> = (node, [x], context) => {
  const window = { kernel_shape: [2, 2, 2], strides: [2, 2, 2] };
  const backward = (context.readers.get(node.id) ?? []).some((reader) => reader.op === 'maxPoolGradient');
  if (!backward) return context.out.emit('MaxPool', [x], window);
  const [y, indices] = context.out.emitMany('MaxPool', [x], 2, window);
  context.poolIndices.set(node.id, indices);
  return y;
};

const maxPoolGradient: Rule<'maxPoolGradient'> = (node, [dy], { out, poolIndices }) => {
  const indices = poolIndices.get(node.inputs[1].id);
  if (indices === undefined) throw new Error('maxPoolGradient: its second input is not a max pool');
  return out.emit('MaxUnpool', [dy, indices, out.ints(node.shape)], { kernel_shape: [2, 2, 2], strides: [2, 2, 2] });
};

/** One matrix product per axis; the adjoint uses the transposed matrices. */
function resize(
  node: OperationNode<'resize'> | OperationNode<'resizeGradient'>,
  x: string,
  out: Emitter,
  adjoint: boolean,
): string {
  const { factor, mode } = node.attributes;
  const [n, c, ...from] = node.inputs[0].shape;
  const to = node.shape.slice(2);
  const matrix = (axis: number, transposed: boolean): string => {
    const coarse = Math.min(from[axis], to[axis]);
    const fine = coarse * factor;
    return out.floats(
      `#resize_${mode}_${coarse}_${factor}_${transposed ? 't' : 'n'}`,
      transposed ? [coarse, fine] : [fine, coarse],
      () => {
        const plain = Float32Array.from(resizeMatrix(coarse, factor, mode));
        if (!transposed) return plain;
        return plain.map((_, i) => plain[(i % fine) * coarse + Math.floor(i / fine)]);
      },
    );
  };
  const left = (current: string, axis: number, before: number, after: number): string =>
    out.emit('MatMul', [matrix(axis, adjoint), out.reshape(current, [before, from[axis], after])]);
  const right = out.emit('MatMul', [out.reshape(x, [n * c * from[0] * from[1], from[2]]), matrix(2, !adjoint)]);
  const rows = left(right, 1, n * c * from[0], to[2]);
  return out.reshape(left(rows, 0, n * c, to[1] * to[2]), node.shape);
}

const logSoftmax: Rule<'logSoftmax'> = (_node, [x], { out }) => {
  const shifted = out.emit('Sub', [x, out.emit('ReduceMax', [x], { axes: [1], keepdims: 1 })]);
  return out.emit('Sub', [shifted, out.emit('Log', [out.reduceSum(out.emit('Exp', [shifted]), [1], true)])]);
};

const logSoftmaxGradient: Rule<'logSoftmaxGradient'> = (_node, [dy, y], { out }) =>
  out.emit('Sub', [dy, out.emit('Mul', [out.emit('Exp', [y]), out.reduceSum(dy, [1], true)])]);

const oneHot: Rule<'oneHot'> = (node, [labels], { out }) => {
  const { classes } = node.attributes;
  const values = out.emit('Cast', [labels], { to: 1 });
  const wanted = out.floats(
    `#classes_${classes}_${node.shape.length}`,
    [classes, ...node.shape.slice(2).map(() => 1)],
    () => Float32Array.from({ length: classes }, (_, i) => i),
  );
  return out.emit('Cast', [out.emit('Equal', [out.emit('Unsqueeze', [values, out.ints([1])]), wanted])], { to: 1 });
};

const toGrid = (out: Emitter, s: string, shape: Shape): string =>
  out.reshape(s, [shape[0], shape[1], ...shape.slice(2).map(() => 1)]);

const rules = {
  add: same('Add'),
  sub: same('Sub'),
  mul: same('Mul'),
  div: same('Div'),
  scale: same('Mul'),
  relu: same('Relu'),
  sigmoid: same('Sigmoid'),
  exp: same('Exp'),
  log: same('Log'),
  sqrt: same('Sqrt'),
  affine,
  // y is never negative. HardSigmoid with a huge slope is 1 where y > 0 (above 3e-39) and, unlike Sign, runs on all threads.
  reluGradient: (_node, [dy, y], { out }) =>
    out.emit('Mul', [dy, out.emit('HardSigmoid', [y], { alpha: floatAttribute(3e38), beta: floatAttribute(0) })]),
  leakyRelu: (node, [x], { out }) => out.emit('LeakyRelu', [x], { alpha: floatAttribute(node.attributes.slope) }),
  leakyReluGradient: (node, [dy, y], { out }) =>
    out.emit('Where', [
      out.emit('Greater', [y, out.float(0)]),
      dy,
      out.emit('Mul', [dy, out.float(node.attributes.slope)]),
    ]),
  conv3d: (node, inputs, { out }) => conv(node, inputs, out),
  convTranspose3d: (node, inputs, { out }) => convTranspose(node, inputs, out),
  conv3dInputGradient,
  conv3dWeightGradient: (node, [x, dy], { out }) => emitWeightGradient(out, node, x, dy),
  addChannel,
  channelSum,
  channelSumProduct,
  channelVariance,
  batchNorm,
  channelCombine,
  concat: (_node, inputs, { out }) => out.emit('Concat', inputs, { axis: 1 }),
  sliceChannels: (node, [x], { out }) => out.slice(x, 1, node.attributes.start, node.attributes.end),
  maxPool,
  maxPoolGradient,
  resize: (node, [x], { out }) => resize(node, x, out, false),
  resizeGradient: (node, [x], { out }) => resize(node, x, out, true),
  logSoftmax,
  logSoftmaxGradient,
  oneHot,
  spatialSum: (node, [x], { out }) => out.reduceSum(flat(out, x, node.inputs[0].shape), [2]),
  spatialSumProduct: (node, [a, b], { out }) =>
    out.reduceSum(flat(out, out.emit('Mul', [a, b]), node.inputs[0].shape), [2]),
  spatialScale: (node, [x, s], { out }) => out.emit('Mul', [x, toGrid(out, s, node.shape)]),
  spatialExpand: (node, [s], { out }) => out.emit('Expand', [toGrid(out, s, node.shape), out.ints(node.shape)]),
  sum: (_node, [x], { out }) => out.emit('ReduceSum', [x], { keepdims: 0 }),
} satisfies { readonly [Op in OperationName]: Rule<Op> };

function emitOperation(node: OperationNode<OperationName>, context: Context): string {
  // A record by name and a node by name belong together, which the compiler does not follow through a union.
  const rule = rules[node.op] as Rule<OperationName>;
  return rule(node, node.inputs.map(context.name), context);
}

function emitConstant({ attributes, shape }: Extract<GraphNode, { op: 'constant' }>, { out }: Context): string {
  const value = out.float(attributes.value);
  return shape.length === 0 ? value : out.emit('Expand', [value, out.ints(shape)]);
}

/** Suffix of the ONNX output that carries the next value of a variable. */
export const nextSuffix = '/next';

export interface LoweringOptions {
  /** Variables frozen into the graph as constants, for an exported model. */
  readonly constants?: ReadonlyMap<string, { readonly shape: Shape; readonly data: Float32Array }>;
}

export function lowerToOnnx(graph: Graph, options: LoweringOptions = {}): OnnxGraph {
  const nodes = liveNodes(graph);
  const readers = new Map<number, GraphNode[]>();
  for (const node of nodes)
    for (const input of node.inputs) readers.set(input.id, [...(readers.get(input.id) ?? []), node]);
  const names = new Map<number, string>();
  const name = (node: GraphNode): string => names.get(node.id) ?? '';
  const published = new Set([...graph.outputs.values(), ...graph.assignments.values()].map((node) => node.id));
  const context: Context = { out: new Emitter(), name, readers, published, poolIndices: new Map() };
  const inputs: OnnxValue[] = [];
  for (const node of nodes) {
    if (node.op === 'input' || node.op === 'variable') {
      const own = node.name;
      const fixed = node.op === 'variable' ? options.constants?.get(own) : undefined;
      if (fixed) context.out.floats(own, fixed.shape, () => fixed.data);
      else inputs.push({ name: own, type: node.type, shape: node.shape });
      names.set(node.id, own);
      continue;
    }
    const isConv = node.op === 'conv3d' || node.op === 'convTranspose3d';
    if (isConv && waitsForBias(node, context)) continue;
    names.set(node.id, node.op === 'constant' ? emitConstant(node, context) : emitOperation(node, context));
  }
  const outputs: OnnxValue[] = [];
  const publish = (outputName: string, node: GraphNode): void => {
    context.out.nodes.push({ op: 'Identity', inputs: [name(node)], outputs: [outputName] });
    outputs.push({ name: outputName, type: 'float32', shape: node.shape });
  };
  for (const [outputName, node] of graph.outputs) publish(outputName, node);
  for (const [variable, node] of graph.assignments) publish(variable + nextSuffix, node);
  return {
    name: 'quickcolumn',
    nodes: context.out.nodes,
    inputs,
    outputs,
    initializers: [...context.out.initializers.values()],
  };
}
