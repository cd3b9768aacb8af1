/**
 * Lowers a graph to compute passes: one rule an operation, elementwise work in groups, sums of one gradient together.
 *
 * Passes are listed in an order in which they can run; a value that several need is written once. Variables that no
 * pass can safely overwrite get their next values by copies behind the last pass, when all have been read.
 */
import type { Graph, GraphNode, OperationName, OperationNode } from '@quickcolumn/graph';
import { concat, type Joined, sliceChannels } from '../kernels/channels.js';
import { logSoftmax, logSoftmaxGradient, oneHot } from '../kernels/classes.js';
import { convolutionKernels } from '../conv/conv3d.js';
import type { ConvolutionName, ConvolutionOp } from '../conv/geometry.js';
import { type ElementwiseName, fullInputsOf, isElementwise, wantsBlocked } from '../kernels/elementwise.js';
import { Fusion } from './fusion.js';
import { maxPool, maxPoolGradient, resize, resizeGradient } from '../kernels/grid.js';
import type { GpuTensor, Kernel, Layout } from '../kernels/kernel.js';
import { PassBuilder, type LowerOptions } from './pass-builder.js';
import { channelSums, channelVariance, type Sum, spatialSums, totalSum } from '../kernels/reductions.js';
import { makeTensor } from '../kernels/tensors.js';

export interface LoweredGraph {
  readonly kernels: readonly Kernel[];
  readonly inputs: ReadonlyMap<string, GpuTensor>;
  readonly variables: ReadonlyMap<string, GpuTensor>;
  /** Plain float32. */
  readonly outputs: ReadonlyMap<string, GpuTensor>;
  /** What has tiles to choose from. */
  readonly convolutions: readonly ConvolutionOp[];
  /** Next values of variables to copy after the passes: from, to. */
  readonly copies: readonly (readonly [GpuTensor, GpuTensor])[];
}

export function lowerToWebGpu(graph: Graph, options: LowerOptions): LoweredGraph {
  const passes = new PassBuilder(graph, options);
  const { limits } = options;
  const inputs = new Map<string, GpuTensor>();
  const variables = new Map<string, GpuTensor>();
  for (const [name, node] of graph.inputs) {
    const tensor = makeTensor(node.shape, 'plain', { storage: node.type === 'uint8' ? 'u8' : 'f32', limits });
    inputs.set(name, tensor);
    passes.set(node, tensor);
  }
  for (const [name, { node }] of graph.variables) {
    const tensor = makeTensor(node.shape, 'plain', { limits });
    variables.set(name, tensor);
    passes.set(node, tensor);
  }
  for (const node of passes.nodes) passes.setForm(node, formOf(node, passes));
  const fusion = new Fusion(passes, graph, variables);
  passes.flush = (node) => fusion.flush(node);
  for (const node of passes.nodes) {
    if (node.op === 'input' || node.op === 'variable' || node.op === 'constant' || passes.isDone(node)) continue;
    if (isElementwise(node)) fusion.visit(node);
    else ruleOf(node.op)(node, passes);
  }
  fusion.flushAll();
  const outputs = new Map<string, GpuTensor>();
  for (const [name, node] of graph.outputs) {
    const needsCopy = node.op === 'variable' || node.op === 'input';
    outputs.set(name, needsCopy ? passes.copyOf(node) : passes.get(node, 'plain'));
  }
  const copies: [GpuTensor, GpuTensor][] = [];
  for (const [name, node] of graph.assignments) {
    const variable = graph.variables.get(name)?.node;
    const tensor = variables.get(name);
    if (!variable || !tensor || node === variable || fusion.isInPlace(node, variable)) continue;
    // Variables may change places: each is copied before any is overwritten.
    copies.push([node.op === 'variable' ? passes.copyOf(node) : passes.get(node, 'plain'), tensor]);
  }
  return { kernels: passes.kernels, convolutions: passes.convolutions, inputs, variables, outputs, copies };
}

const plainResults: ReadonlySet<string> = new Set<GraphNode['op']>([
  'input', 'variable', 'constant', 'conv3dWeightGradient', 'channelSum', 'channelSumProduct', 'channelVariance',
  'spatialSum', 'spatialSumProduct', 'sum',
]); // biome-ignore format: a list

/** Images are blocked where an operation on images makes them; elementwise results follow their inputs. */
function formOf(node: GraphNode, passes: PassBuilder): Layout {
  if (plainResults.has(node.op)) return 'plain';
  if (!isElementwise(node) || wantsBlocked(node)) return 'blocked';
  return fullInputsOf(node).some((input) => passes.form(input) === 'blocked') ? 'blocked' : 'plain';
}

type Rule<Op extends OperationName> = (node: OperationNode<Op>, passes: PassBuilder) => void;
type RuledName = Exclude<OperationName, ElementwiseName>;

const image = (passes: PassBuilder, node: GraphNode): GpuTensor => passes.get(node, 'blocked');

/** A rule that reads images, in order, and writes one. */
const onImages =
  <Node extends GraphNode>(
    make: (passes: PassBuilder, node: Node, images: readonly GpuTensor[], output: GpuTensor) => readonly Kernel[],
  ) =>
  (node: Node, passes: PassBuilder): void => {
    const images = node.inputs.map((input) => image(passes, input));
    passes.emit(...make(passes, node, images, passes.produce(node)));
  };

/** The second input of a convolution is its weights, but of its weight gradient another image. */
function convolution(node: Extract<GraphNode, { op: ConvolutionName }>, passes: PassBuilder): void {
  const [x, second] = node.inputs;
  const layout = node.op === 'conv3dWeightGradient' ? 'blocked' : 'plain';
  const inputs = [image(passes, x), passes.get(second, layout)];
  const made = { node, inputs, output: passes.produce(node) };
  passes.convolutions.push(made);
  passes.emit(...convolutionKernels(passes, made));
}

const rules: { readonly [Op in RuledName]: Rule<Op> } = {
  conv3d: convolution,
  convTranspose3d: convolution,
  conv3dInputGradient: convolution,
  conv3dWeightGradient: convolution,
  maxPool: onImages((passes, _node, [x], y) => [maxPool(passes, x, y)]),
  maxPoolGradient: visitPoolGradient,
  resize: onImages((passes, node, [x], y) => [resize(passes, node, x, y)]),
  resizeGradient: onImages((passes, node, [dy], dx) => resizeGradient(passes, node, dy, dx)),
  concat: visitConcat,
  sliceChannels: onImages((passes, node, [x], y) => [sliceChannels(passes, node, x, y)]),
  logSoftmax: onImages((passes, _node, [x], y) => [logSoftmax(passes, x, y)]),
  logSoftmaxGradient: onImages((passes, _node, [dy, y], dx) => [logSoftmaxGradient(passes, { dy, y, dx })]),
  oneHot: visitOneHot,
  channelSum: visitChannelSum,
  channelSumProduct: visitChannelSum,
  channelVariance: visitVariance,
  spatialSum: visitSpatialSum,
  spatialSumProduct: visitSpatialSum,
  sum: visitSum,
};

/** A record by name and a node by name belong together, which the compiler does not follow through a union. */
const ruleOf = (op: RuledName): Rule<RuledName> => rules[op] as Rule<RuledName>;

function visitPoolGradient(node: OperationNode<'maxPoolGradient'>, passes: PassBuilder): void {
  const [dy, , x] = node.inputs;
  const tensors = { dy: image(passes, dy), x: image(passes, x) };
  passes.emit(maxPoolGradient(passes, { ...tensors, dx: passes.produce(node) }));
}

function visitConcat(node: OperationNode<'concat'>, passes: PassBuilder): void {
  const joined = node.inputs.map((input): Joined => {
    const channels = input.shape[1];
    return input.op === 'constant'
      ? { channels, value: input.attributes.value }
      : { channels, tensor: image(passes, input) };
  });
  passes.emit(...concat(passes, joined, passes.produce(node)));
}

function visitOneHot(node: OperationNode<'oneHot'>, passes: PassBuilder): void {
  const labels = passes.get(node.inputs[0], 'plain');
  passes.emit(oneHot(passes, labels, passes.produce(node)));
}

/** Σdy, with Σdy·x beside it where the gradient of a norm asks for both: dy is read once. */
function visitChannelSum(
  node: OperationNode<'channelSum'> | OperationNode<'channelSumProduct'>,
  passes: PassBuilder,
): void {
  const [first] = node.inputs;
  const known = (other: GraphNode): boolean => passes.isDone(other) || other.op === 'constant';
  const partner = passes
    .readers(first)
    .find(
      (other) =>
        other !== node &&
        other.op === (node.op === 'channelSum' ? 'channelSumProduct' : 'channelSum') &&
        other.inputs[0] === first &&
        !passes.isDone(other) &&
        other.inputs.slice(1).every(known),
    );
  const nodes = partner ? [node, partner] : [node];
  const x = image(passes, first);
  const names = new Map<GraphNode, string>([[first, 'x']]);
  const seconds = nodes.flatMap(({ inputs }) => inputs.slice(1));
  for (const second of seconds) if (!names.has(second)) names.set(second, `z${names.size}`);
  const tensors = [...names].map(([input, name]) => ({ name, tensor: image(passes, input) }));
  const sums = nodes.map((one): Sum => {
    const value = one.inputs.map((input) => `${names.get(input)}(i)`).join(' * ');
    return { output: passes.produce(one), value };
  });
  passes.emit(
    ...channelSums(passes, {
      label: nodes.map(({ op }) => op).join('+'),
      image: x,
      sums,
      declare: (shader) => tensors.reduce((made, { name, tensor }) => made.read(name, tensor), shader),
    }),
  );
}

function visitVariance(node: OperationNode<'channelVariance'>, passes: PassBuilder): void {
  const [x, mean] = node.inputs;
  const [data, centre] = [image(passes, x), passes.get(mean, 'plain')];
  passes.emit(...channelVariance(passes, data, centre, passes.produce(node)));
}

function visitSpatialSum(
  node: OperationNode<'spatialSum'> | OperationNode<'spatialSumProduct'>,
  passes: PassBuilder,
): void {
  const tensors = node.inputs.map((input) => image(passes, input));
  const value = tensors.map((_tensor, at) => `x${at}(i)`).join(' * ');
  passes.emit(
    ...spatialSums(passes, {
      label: node.op,
      image: tensors[0],
      sums: [{ output: passes.produce(node), value }],
      declare: (shader) => tensors.reduce((made, tensor, at) => made.read(`x${at}`, tensor), shader),
    }),
  );
}

function visitSum(node: OperationNode<'sum'>, passes: PassBuilder): void {
  const [x] = node.inputs;
  const data = passes.get(x, passes.form(x));
  passes.emit(...totalSum(passes, data, passes.produce(node)));
}
