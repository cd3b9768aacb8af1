/**
 * Lowers a graph to a oneDNN program: one rule an operation, elementwise work gathered into chains, batch
 * normalisation and its gradient recognised as groups, bias gradients taken along by the weight gradients.
 */
import { elementCount, type Graph, type GraphNode, type OperationNode } from '@quickcolumn/graph';
import {
  addChain,
  type ChainContext,
  type ChainOp,
  chainPositions,
  convertOthers,
  opsFor,
  otherOf,
  startOf,
} from './chains.js';
import { Context, type ElementwiseNode, isElementwise, type LowerOptions } from './context.js';
import { addConvolution, addInputGradient } from './convolutions.js';
import { addFill, addHostNode, addOneHot } from './typescript-steps.js';
import {
  addConcat,
  addLogSoftmax,
  addLogSoftmaxGradient,
  addMaxPool,
  addMaxPoolGradient,
  addResize,
  addResizeGradient,
  addRowSums,
  addSlice,
  type Pooled,
} from './images.js';
import type { LoadedLibrary } from '../library/library.js';
import { addFoldedNorm, addNorm, addNormGradient, findNorms, normMembers } from './norms.js';
import { addTransposed } from './transposed.js';
import { addChannelSum, addWeightGradient } from './weight-gradient.js';
import { Program, type Tensor } from '../program/program.js';

export interface LoweredProgram {
  readonly program: Program;
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly variables: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Writes the constants, once after binding. */
  fillConstants(floats: (tensor: Tensor) => Float32Array): void;
}

/** A value that waits for its only reader to be fused with. */
interface Pending {
  /** The convolution or the value it begins with. */
  readonly base:
    | { readonly kind: 'convolution'; readonly node: OperationNode<'conv3d'> | OperationNode<'convTranspose3d'> }
    | { readonly kind: 'source'; readonly source: GraphNode };
  readonly ops: ChainOp[];
}

export function lowerToOneDnn(graph: Graph, library: LoadedLibrary, options: LowerOptions): LoweredProgram {
  const program = new Program(library);
  const context = new Context(graph, program, options);
  const inputs = new Map<string, Tensor>();
  const variables = new Map<string, Tensor>();
  for (const [name, node] of graph.inputs) {
    const tensor = program.tensor(node.shape, 'flat', {
      type: node.type === 'uint8' ? 'uint8' : 'float32',
      kept: true,
    });
    inputs.set(name, tensor);
    context.set(node, tensor);
  }
  for (const [name, { node }] of graph.variables) {
    const tensor = program.tensor(node.shape, 'flat', { kept: true });
    tensor.stable = !graph.assignments.has(name);
    variables.set(name, tensor);
    context.set(node, tensor);
  }
  try {
    lowerNodes(context);
  } catch (error) {
    program.discard();
    throw error;
  }
  const outputs = new Map<string, Tensor>();
  for (const [name, node] of graph.outputs) {
    const tensor = context.flat(node);
    program.publish(tensor);
    outputs.set(name, tensor);
  }
  for (const [name, node] of graph.assignments) {
    const variable = variables.get(name);
    if (variable) program.assign(variable, context.flat(node));
  }
  return { program, inputs, variables, outputs, fillConstants: (floats) => context.fillConstants(floats) };
}

function lowerNodes(context: Context): void {
  const norms = findNorms(context);
  const members = normMembers(norms);
  const plan = planChains(context, members);
  const pending = new Map<number, Pending>();
  const normHints = new Map<number, bigint>();
  const softmaxHints = new Map<number, bigint>();
  const pooled = new Map<number, Pooled>();
  const folded = new Map<number, { scale: Tensor; shift: Tensor }>();
  const chainContext: ChainContext = {
    absorbed: (node) => plan.absorbed.get(node.id),
    foldedNorm: (node) => {
      const known = folded.get(node.id) ?? addFoldedNorm(context, node);
      folded.set(node.id, known);
      return known;
    },
  };

  /** Lists what has gathered, into the node's tensor. */
  const flush = (node: GraphNode, { base, ops }: Pending): void => {
    const result = context.produce(node);
    if (base.kind === 'convolution') {
      if (base.node.op === 'conv3d') addConvolution(context, base.node, ops, result);
      else addTransposed(context, base.node, ops, result);
      return;
    }
    const form = context.form(node);
    addChain(node.op, context, context.get(base.source, form), convertOthers(context, ops, result), result);
  };
  const keepOrFlush = (node: GraphNode, value: Pending): void => {
    if (plan.claimed.has(node.id)) pending.set(node.id, value);
    else flush(node, value);
  };

  const visitElementwise = (node: ElementwiseNode): void => {
    if (!context.isLarge(node)) {
      addHostNode(context, node);
      return;
    }
    if (node.op === 'channelCombine') {
      addCombine(context, node);
      return;
    }
    const position = node.inputs.findIndex((input) => plan.claimed.get(input.id) === node.id);
    const earlier = position < 0 ? undefined : pending.get(node.inputs[position].id);
    if (earlier) {
      pending.delete(node.inputs[position].id);
      earlier.ops.push(...opsFor(node, position, chainContext));
      keepOrFlush(node, earlier);
      return;
    }
    const { source, ops } = startOf(node, chainContext);
    keepOrFlush(node, { base: { kind: 'source', source }, ops: [...ops] });
  };

  context.materialise = (node) => {
    if (node.op === 'constant' || node.op === 'spatialExpand') addFill(context, node);
  };

  for (const node of context.nodes) {
    if (context.has(node) || plan.absorbed.has(node.id)) continue;
    const group = norms.forward.get(node.id);
    const gradientGroup = norms.backward.get(node.id);
    if (group) {
      addNorm(context, group, normHints);
      continue;
    }
    if (gradientGroup) {
      addNormGradient(context, gradientGroup, normHints);
      continue;
    }
    if (members.has(node.id)) continue;
    if (isElementwise(node)) {
      visitElementwise(node);
      continue;
    }
    switch (node.op) {
      case 'conv3d':
      case 'convTranspose3d':
        keepOrFlush(node, { base: { kind: 'convolution', node }, ops: [] });
        break;
      case 'conv3dInputGradient':
        addInputGradient(context, node);
        break;
      case 'conv3dWeightGradient':
        addWeightGradient(context, node);
        break;
      case 'channelSum':
        visitChannelSum(context, node);
        break;
      case 'channelSumProduct':
      case 'spatialSumProduct':
        visitSumProduct(context, node);
        break;
      case 'channelVariance':
        visitVariance(context, node);
        break;
      case 'spatialSum':
        visitSpatialSum(context, node, context.home(node.inputs[0]));
        break;
      case 'sum':
        visitSum(context, node);
        break;
      case 'maxPool':
        addMaxPool(context, node, pooled);
        break;
      case 'maxPoolGradient':
        addMaxPoolGradient(context, node, pooled);
        break;
      case 'resize':
        addResize(context, node);
        break;
      case 'resizeGradient':
        addResizeGradient(context, node);
        break;
      case 'concat':
        addConcat(context, node);
        break;
      case 'sliceChannels':
        addSlice(context, node);
        break;
      case 'logSoftmax':
        addLogSoftmax(context, node, softmaxHints);
        break;
      case 'logSoftmaxGradient':
        addLogSoftmaxGradient(context, node, softmaxHints);
        break;
      case 'oneHot':
        addOneHot(context, node);
        break;
      // Filled in where something reads them.
      case 'constant':
      case 'spatialExpand':
        break;
      // They have their tensors from the start.
      case 'input':
      case 'variable':
        break;
      default:
        node satisfies never;
        throw new Error(`the onednn runtime has no rule for ${(node as GraphNode).op}`);
    }
  }
}

interface ChainPlan {
  /** Node id → id of the reader that it is fused into. */
  readonly claimed: ReadonlyMap<number, number>;
  /** Multiples of another node that their reader takes in, by id. */
  readonly absorbed: ReadonlyMap<number, { readonly node: GraphNode; readonly factor: number }>;
}

function planChains(context: Context, members: ReadonlySet<number>): ChainPlan {
  const claimed = new Map<number, number>();
  const absorbed = new Map<number, { readonly node: GraphNode; readonly factor: number }>();
  const only = (node: GraphNode): boolean => context.readers(node).length === 1 && !context.isPublished(node);
  const fusable = (input: GraphNode, node: GraphNode): boolean => {
    if (!only(input) || members.has(input.id) || !context.isLarge(input) || absorbed.has(input.id)) return false;
    const isConvolution = input.op === 'conv3d' || input.op === 'convTranspose3d';
    const isChain = isElementwise(input) && input.op !== 'channelCombine';
    if (!isConvolution && !isChain) return false;
    const [a, b] = [context.form(input), context.form(node)];
    const sameForm = a.layout === b.layout && a.type === b.type;
    if (!sameForm || input.shape.join() !== node.shape.join()) return false;
    // One value per sample and channel needs a pass per sample, which a convolution does not make.
    const perSample = node.op === 'spatialScale' || node.inputs.some(({ op }) => op === 'spatialExpand');
    return !(perSample && (isConvolution || startsWithConvolution(input)));
  };
  const startsWithConvolution = (node: GraphNode): boolean => {
    if (node.op === 'conv3d' || node.op === 'convTranspose3d') return true;
    const before = node.inputs.find((input) => claimed.get(input.id) === node.id);
    return before !== undefined && startsWithConvolution(before);
  };
  for (const node of context.nodes) {
    if (!isElementwise(node) || members.has(node.id) || !context.isLarge(node)) continue;
    const candidates = chainPositions(node)
      .map((position) => node.inputs[position])
      .filter((input) => fusable(input, node))
      // A convolution takes the others into its own pass; among chains the later one goes on.
      .sort((a, b) => Number(startsWithConvolution(b)) - Number(startsWithConvolution(a)) || b.id - a.id);
    const [running] = candidates;
    if (!running) continue;
    claimed.set(running.id, node.id);
    if (node.op !== 'add') continue;
    const other = node.inputs[0] === running ? node.inputs[1] : node.inputs[0];
    if (other.op !== 'affine' || other.attributes.offset !== 0 || other.attributes.scale === 0) continue;
    const [source] = other.inputs;
    const usable = only(other) && otherOf(source).kind === 'full' && !claimed.has(source.id);
    if (usable && context.form(source).layout === context.form(node).layout)
      absorbed.set(other.id, { node: source, factor: other.attributes.scale });
  }
  return { claimed, absorbed };
}

/** y = a·u + b·v + k as two chains. */
function addCombine(context: Context, node: OperationNode<'channelCombine'>): void {
  const [u, v, a, b, k] = node.inputs;
  const form = context.form(node);
  const result = context.produce(node);
  const second = context.program.tensor(node.shape, form.layout, { type: form.type });
  const channel = (of: GraphNode, operation: 'mul' | 'add'): ChainOp => {
    context.flat(of);
    return { kind: 'binary', operation, other: { kind: 'channel', of } };
  };
  addChain('channelCombine', context, context.get(v, form), [channel(b, 'mul'), channel(k, 'add')], second);
  const join: ChainOp = { kind: 'binary', operation: 'add', other: { kind: 'tensor', tensor: second } };
  addChain('channelCombine', context, context.get(u, form), [channel(a, 'mul'), join], result);
}

/** Also the bias gradient, which the weight gradient of the same dy brings along. */
function visitChannelSum(context: Context, node: OperationNode<'channelSum'>): void {
  const [x] = node.inputs;
  const weights = context
    .readers(x)
    .find(
      (reader): reader is OperationNode<'conv3dWeightGradient'> =>
        reader.op === 'conv3dWeightGradient' && reader.inputs[1] === x && reader.inputs[0] !== x,
    );
  if (weights && context.form(x).layout === 'image' && !context.has(weights)) {
    addWeightGradient(context, weights, node);
    return;
  }
  addChannelSum(context, asImage(context, context.home(x)), context.produce(node));
}

const asImage = (context: Context, tensor: Tensor): Tensor =>
  context.convert(tensor, { layout: 'image', type: tensor.type });

function visitSumProduct(
  context: Context,
  node: OperationNode<'channelSumProduct'> | OperationNode<'spatialSumProduct'>,
): void {
  const [a, b] = node.inputs;
  const form = node.op === 'channelSumProduct' ? { ...context.form(a), layout: 'image' as const } : context.form(a);
  const product = context.program.tensor(a.shape, form.layout, { type: 'float32' });
  const float32 = { layout: form.layout, type: 'float32' } as const;
  const ops = convertOthers(context, [{ kind: 'binary', operation: 'mul', other: { kind: 'full', node: b } }], product);
  addChain(node.op, context, context.get(a, float32), ops, product);
  if (node.op === 'channelSumProduct') addChannelSum(context, product, context.produce(node));
  else visitSpatialSum(context, node, product);
}

/** Σ(x − mean)²/M. */
function visitVariance(context: Context, node: OperationNode<'channelVariance'>): void {
  const [x, mean] = node.inputs;
  const float32 = { layout: 'image', type: 'float32' } as const;
  const squares = context.program.tensor(x.shape, 'image');
  context.flat(mean);
  const ops: ChainOp[] = [
    { kind: 'binary', operation: 'sub', other: { kind: 'channel', of: mean } },
    { kind: 'eltwise', operation: 'square', alpha: 0, beta: 0 },
  ];
  addChain('channelVariance', context, context.get(x, float32), ops, squares);
  const sums = context.program.tensor(node.shape, 'flat');
  addChannelSum(context, squares, sums);
  const count = x.shape[0] * elementCount(x.shape.slice(2));
  const result = context.produce(node);
  addChain(
    'channelVariance',
    context,
    sums,
    [{ kind: 'binary', operation: 'mul', other: { kind: 'scalar', value: 1 / count } }],
    result,
  );
}

/** [N, C, …] → [N, C]. */
function visitSpatialSum(context: Context, node: GraphNode, from: Tensor): void {
  const result = context.produce(node);
  if (from.layout !== 'image') {
    addRowSums(context, node.op, from, result, node.shape[0] * node.shape[1]);
    return;
  }
  for (let sample = 0; sample < node.shape[0]; sample++) addChannelSum(context, from, result, sample);
}

function visitSum(context: Context, node: OperationNode<'sum'>): void {
  const [x] = node.inputs;
  if (elementCount(x.shape) <= Math.max(1, context.options.smallElements)) {
    addHostNode(context, node);
    return;
  }
  addRowSums(context, 'sum', context.flat(x), context.produce(node), 1);
}
