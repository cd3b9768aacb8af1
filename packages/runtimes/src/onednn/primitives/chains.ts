/**
 * Elementwise work, fused: a chain of operations, each the only reader of the one before, becomes one primitive whose
 * post-operations do the rest in registers. A chain may begin with a convolution (prediction: bias, batch norm,
 * quick connection and ReLU in the convolution's own pass).
 *
 * The traps, measured on oneDNN 2.6: the binary primitive is fast with channels innermost and falls to plain loops
 * (500 times slower) in blocked layouts; the eltwise primitive refuses binary post-operations, so a chain always
 * begins with a binary one; a mask (ReLU's gradient) can only stand at the beginning; and of two eltwise operations of
 * one kind in a chain, the second silently uses the constants of the first.
 */
import { elementCount, type GraphNode, type OperationNode, type Shape } from '@quickcolumn/graph';
import { algorithm, argument, type Binary, type Descriptor, type Eltwise, type PostOp } from '../library/api.js';
import { type Context, type ElementwiseNode, imageStrides, isElementwise, rowMajor } from './context.js';
import { DnnlStatusError } from '../library/call.js';
import { isPlain, type Operand, type Tensor } from '../program/program.js';

/** What the other side of a binary operation is. */
export type Other =
  | { readonly kind: 'full'; readonly node: GraphNode }
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  | { readonly kind: 'scalar'; readonly value: number }
  /** A scalar tensor of the graph. */
  | { readonly kind: 'factor'; readonly node: GraphNode }
  /** One value a channel: a node [C], or a tensor made for it. */
  | { readonly kind: 'channel'; readonly of: GraphNode | Tensor }
  /** One value per sample and channel: a node [N, C]. */
  | { readonly kind: 'sample'; readonly node: GraphNode };

export type ChainOp =
  | { readonly kind: 'eltwise'; readonly operation: Eltwise; readonly alpha: number; readonly beta: number }
  | { readonly kind: 'binary'; readonly operation: Binary; readonly other: Other };

const eltwise = (operation: Eltwise, alpha = 0, beta = 0): ChainOp => ({ kind: 'eltwise', operation, alpha, beta });
const binary = (operation: Binary, other: Other): ChainOp => ({ kind: 'binary', operation, other });
const scalar = (operation: Binary, value: number): ChainOp & { kind: 'binary' } => ({
  kind: 'binary',
  operation,
  other: { kind: 'scalar', value },
});
const linear = (scale: number, offset: number): ChainOp[] => [
  ...(scale === 1 ? [] : [scalar('mul', scale)]),
  ...(offset === 0 ? [] : [scalar('add', offset)]),
];

/** Operations on the running value for a node whose input at `position` is that value. */
export function opsFor(node: ElementwiseNode, position: number, context: ChainContext): ChainOp[] {
  switch (node.op) {
    case 'add': {
      const other = node.inputs[1 - position];
      const scaled = context.absorbed(other);
      if (!scaled) return [binary('add', otherOf(other))];
      return [...linear(1 / scaled.factor, 0), binary('add', otherOf(scaled.node)), ...linear(scaled.factor, 0)];
    }
    case 'sub': {
      const other = otherOf(node.inputs[1 - position]);
      return position === 0 ? [binary('sub', other)] : [...linear(-1, 0), binary('add', other)];
    }
    case 'mul':
      return [binary('mul', otherOf(node.inputs[1 - position]))];
    case 'div': {
      const other = otherOf(node.inputs[1 - position]);
      return position === 0 ? [binary('div', other)] : [eltwise('pow', 1, -1), binary('mul', other)];
    }
    case 'affine':
      return linear(node.attributes.scale, node.attributes.offset);
    case 'scale':
      return [binary('mul', { kind: 'factor', node: node.inputs[1] })];
    case 'relu':
      return [eltwise('relu')];
    case 'leakyRelu':
      return [eltwise('relu', node.attributes.slope)];
    case 'sigmoid':
      return [eltwise('logistic')];
    case 'exp':
    case 'log':
    case 'sqrt':
      return [eltwise(node.op)];
    case 'addChannel':
      return [binary('add', { kind: 'channel', of: node.inputs[1] })];
    case 'batchNorm': {
      const { scale, shift } = context.foldedNorm(node);
      return [binary('mul', { kind: 'channel', of: scale }), binary('add', { kind: 'channel', of: shift })];
    }
    case 'spatialScale':
      return [binary('mul', { kind: 'sample', node: node.inputs[1] })];
    case 'reluGradient':
    case 'leakyReluGradient':
    case 'channelCombine':
      throw new Error(`onednn: ${node.op} cannot continue a chain`);
  }
}

export function otherOf(node: GraphNode): Other {
  if (node.op === 'constant') return { kind: 'scalar', value: node.attributes.value };
  if (node.op === 'spatialExpand') return { kind: 'sample', node: node.inputs[0] };
  return { kind: 'full', node };
}

/** Where a chain begins: the value to read and the operations on it. */
export interface ChainStart {
  readonly source: GraphNode;
  readonly ops: readonly ChainOp[];
}

export function startOf(node: ElementwiseNode, context: ChainContext): ChainStart {
  if (node.op === 'reluGradient' || node.op === 'leakyReluGradient') {
    const slope = node.op === 'reluGradient' ? 0 : node.attributes.slope;
    const mask = [scalar('gt', 0), ...(slope === 0 ? [] : linear(1 - slope, slope))];
    const [dy, y] = node.inputs;
    return { source: y, ops: [...mask, binary('mul', otherOf(dy))] };
  }
  // Broadcast values are cheap as operands and dear as a source.
  const inputs: readonly GraphNode[] = node.inputs;
  const position = inputs.findIndex(
    (input, i) => i < 2 && input.shape.length === node.shape.length && otherOf(input).kind === 'full',
  );
  const start = Math.max(position, 0);
  return { source: inputs[start], ops: opsFor(node, start, context) };
}

/** What chains ask of the lowering. */
export interface ChainContext {
  /** An operand that is only a multiple of another node, to be read as that node. */
  absorbed(node: GraphNode): { readonly node: GraphNode; readonly factor: number } | undefined;
  /** γ/√(variance + ε) and β − mean·γ/√(variance + ε), one value a channel. */
  foldedNorm(node: OperationNode<'batchNorm'>): { readonly scale: Tensor; readonly shift: Tensor };
}

/** Inputs of a node that may be the running value of a chain. */
export function chainPositions(node: GraphNode): readonly number[] {
  if (!isElementwise(node)) return [];
  if (node.op === 'reluGradient' || node.op === 'leakyReluGradient' || node.op === 'channelCombine') return [];
  const twoSided = ['add', 'sub', 'mul', 'div'].includes(node.op);
  if (twoSided && node.inputs[0] === node.inputs[1]) return [];
  return twoSided ? [0, 1] : [0];
}

/** oneDNN takes 32 post-operations. */
const longest = 28;

/** Lists the primitives that turn `source` into `result`. */
export function addChain(op: string, context: Context, source: Tensor, ops: readonly ChainOp[], result: Tensor): void {
  let from = source;
  const parts = splitOps(ops, result);
  parts.forEach((part, i) => {
    const last = i === parts.length - 1;
    const to = last ? result : context.program.tensor(result.shape, result.layout, { type: result.type });
    addPart(op, context, from, part, to);
    from = to;
  });
}

/**
 * A flat tensor is described with its channels, or with samples and channels as one axis, not with both; and one part
 * has one set of constants for each kind of eltwise operation.
 */
function splitOps(ops: readonly ChainOp[], result: Tensor): ChainOp[][] {
  const parts: ChainOp[][] = [[]];
  let kind = '';
  let constants = new Map<Eltwise, string>();
  for (const op of ops) {
    const current = parts[parts.length - 1];
    const own =
      op.kind === 'binary' && (op.other.kind === 'channel' || op.other.kind === 'sample') ? op.other.kind : '';
    const mixes = result.layout === 'flat' && own !== '' && kind !== '' && own !== kind;
    const clashes = op.kind === 'eltwise' && (constants.get(op.operation) ?? constantsOf(op)) !== constantsOf(op);
    if (mixes || clashes || current.length >= longest) {
      parts.push([op]);
      kind = own;
      constants = new Map();
    } else {
      current.push(op);
      if (own !== '') kind = own;
    }
    if (op.kind === 'eltwise') constants.set(op.operation, constantsOf(op));
  }
  return parts;
}

const constantsOf = ({ alpha, beta }: ChainOp & { kind: 'eltwise' }): string => `${alpha} ${beta}`;

const usesSamples = (ops: readonly ChainOp[]): boolean =>
  ops.some((op) => op.kind === 'binary' && op.other.kind === 'sample');

function addPart(op: string, context: Context, source: Tensor, ops: readonly ChainOp[], result: Tensor): void {
  const perSample = result.layout === 'image' && usesSamples(ops) && result.shape[0] > 1;
  const samples = perSample ? result.shape[0] : 1;
  for (let sample = 0; sample < samples; sample++) {
    const view = viewOf(result, ops, perSample);
    const [first, ...rest] = withBinaryFirst(ops);
    const { postOps, operands } = resolveOps(context, rest, view, sample);
    const { library } = context.program;
    const full = library.api.describe(view.dims, result.type, view.strides);
    const lead = operandOf(context, first.other, view, sample);
    const attributes = library.attributes(postOps);
    const descriptor = library.api.binary(
      algorithm[first.operation],
      full,
      { src1: lead.descriptor, dst: full },
      attributes,
    );
    library.destroyAttributes(attributes);
    const offset = sample * (result.bytes / samples);
    const from: Operand = { argument: argument.src, tensor: source, descriptor: full, role: 'read', offset };
    context.program.addPrimitive(
      op,
      descriptor,
      [
        from,
        { ...lead, argument: argument.src1, role: 'read' },
        { ...from, argument: argument.dst, tensor: result, role: 'write' },
        ...operands,
      ],
      samples === 1 ? { inPlace: [result, source] } : {},
    );
  }
}

/** How a tensor is described so that its operands broadcast. */
export interface View {
  readonly dims: Shape;
  readonly strides: readonly number[];
  /** Dimensions of an operand with one value a channel (or sample and channel), and of a scalar. */
  readonly channelDims: Shape;
  readonly scalarDims: Shape;
}

export function viewOf(tensor: Tensor, ops: readonly ChainOp[], perSample = false): View {
  const { shape, layout } = tensor;
  const scalarOf = (dims: Shape): number[] => dims.map(() => 1);
  if (layout === 'image') {
    const dims = perSample ? [1, ...shape.slice(1)] : shape;
    return {
      dims,
      strides: imageStrides(dims),
      channelDims: dims.map((size, axis) => (axis === 1 ? size : 1)),
      scalarDims: scalarOf(dims),
    };
  }
  const perChannel = ops.some((op) => op.kind === 'binary' && op.other.kind === 'channel');
  if (perChannel || usesSamples(ops)) {
    const voxels = elementCount(shape.slice(2));
    const dims = perChannel ? [shape[0], shape[1], voxels] : [1, shape[0] * shape[1], voxels];
    return { dims, strides: rowMajor(dims), channelDims: [1, dims[1], 1], scalarDims: [1, 1, 1] };
  }
  const dims = [elementCount(shape)];
  return { dims, strides: [1], channelDims: [1], scalarDims: [1] };
}

function withBinaryFirst(ops: readonly ChainOp[]): [ChainOp & { kind: 'binary' }, ...ChainOp[]] {
  const [first, ...rest] = ops;
  if (first === undefined) return [scalar('add', 0)];
  if (first.kind === 'binary') return [first, ...rest];
  if (first.operation === 'relu' && first.alpha === 0) return [scalar('max', 0), ...rest];
  return [scalar('add', 0), first, ...rest];
}

export function resolveOps(
  context: Context,
  ops: readonly ChainOp[],
  view: View,
  sample = 0,
  firstIndex = 0,
): { postOps: PostOp[]; operands: Operand[] } {
  const { api } = context.program.library;
  const postOps: PostOp[] = [];
  const operands: Operand[] = [];
  for (const op of ops) {
    if (op.kind === 'eltwise') {
      postOps.push(op);
      continue;
    }
    const operand = operandOf(context, op.other, view, sample);
    const index = firstIndex + postOps.length;
    operands.push({ ...operand, argument: ((index + 1) * api.postOpBase) | argument.src1, role: 'read' });
    postOps.push({ kind: 'binary', operation: op.operation, operand: operand.descriptor });
  }
  return { postOps, operands };
}

function operandOf(
  context: Context,
  other: Other,
  view: View,
  sample: number,
): { tensor: Tensor; descriptor: Descriptor; offset: number } {
  const { api } = context.program.library;
  const ones = (dims: Shape): Descriptor => api.describe(dims, 'float32', rowMajor(dims));
  switch (other.kind) {
    case 'full':
    case 'tensor': {
      const tensor = other.kind === 'tensor' ? other.tensor : context.home(other.node);
      const descriptor = api.describe(view.dims, tensor.type, view.strides);
      return { tensor, descriptor, offset: sample * (tensor.bytes / Math.max(1, sampleCount(tensor, view))) };
    }
    case 'scalar':
      return { tensor: context.scalar(other.value), descriptor: ones(view.scalarDims), offset: 0 };
    case 'factor':
      return { tensor: context.flat(other.node), descriptor: ones(view.scalarDims), offset: 0 };
    case 'channel': {
      const tensor = 'op' in other.of ? context.flat(other.of) : other.of;
      return { tensor, descriptor: ones(view.channelDims), offset: 0 };
    }
    case 'sample': {
      const tensor = context.flat(other.node);
      const rows = tensor.bytes / 4 / view.channelDims.reduce((p, s) => p * s, 1);
      return { tensor, descriptor: ones(view.channelDims), offset: rows > 1 ? sample * (tensor.bytes / rows) : 0 };
    }
  }
}

const sampleCount = (tensor: Tensor, view: View): number =>
  Math.round(elementCount(tensor.shape) / view.dims.reduce((p, s) => p * s, 1));

/** Operands of a chain in the form of its result, so that one description serves all. */
export function convertOthers(context: Context, ops: readonly ChainOp[], result: Tensor): ChainOp[] {
  const form = { layout: result.layout === 'image' ? 'image' : 'flat', type: result.type } as const;
  return ops.map((op) => {
    if (op.kind === 'eltwise') return op;
    if (op.other.kind === 'full') {
      return { ...op, other: { kind: 'tensor', tensor: context.get(op.other.node, form) } };
    }
    if (op.other.kind === 'factor') context.flat(op.other.node);
    if (op.other.kind === 'sample') context.flat(op.other.node);
    if (op.other.kind === 'channel' && 'op' in op.other.of) context.flat(op.other.of);
    return op;
  });
}

/** Makes a primitive descriptor with post-operations; undefined where the library has none, or only plain loops. */
export function tryDescriptor(context: Context, make: () => bigint): bigint | undefined {
  const { library } = context.program;
  try {
    const descriptor = make();
    if (!isPlain(library.implementation(descriptor))) return descriptor;
    library.destroyDescriptor(descriptor);
  } catch (error) {
    if (!(error instanceof DnnlStatusError)) throw error;
  }
  return undefined;
}
