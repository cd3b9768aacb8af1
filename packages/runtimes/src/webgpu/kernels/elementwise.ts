/**
 * WGSL of elementwise operations: one kernel for a group of them, whatever its shape.
 *
 * Everything is computed in vec4f: blocked images are vec4, plain tensors are viewed in fours. Values per channel and
 * scalars are read where they are needed. Where tensors in parts would need more bindings than there are, each pass takes
 * the range of one part. The trap: padded channels may become anything on the way (exp(0) is 1), so what is stored is masked.
 */
import type { GraphNode, OperationName, Shape } from '@quickcolumn/graph';
import { blockedIndex, blockedSizes, float, maskChannels } from './convert.js';
import type { GpuTensor, Kernel, KernelContext, Layout } from './kernel.js';
import { partsOf, Shader, type View } from './shader.js';
import { storedElements } from './tensors.js';

/** Positions of the inputs that have the shape of the result, by operation. */
const pairs = ['add', 'sub', 'mul', 'div', 'reluGradient', 'leakyReluGradient', 'channelCombine'] as const;
const singles = [
  'affine',
  'scale',
  'relu',
  'leakyRelu',
  'sigmoid',
  'exp',
  'log',
  'sqrt',
  'addChannel',
  'batchNorm',
  'spatialScale',
] as const;
const fullPositions: ReadonlyMap<string, readonly number[]> = new Map<OperationName, readonly number[]>([
  ...pairs.map((op): [OperationName, readonly number[]] => [op, [0, 1]]),
  ...singles.map((op): [OperationName, readonly number[]] => [op, [0]]),
  ['spatialExpand', []],
]);

export type ElementwiseName = (typeof pairs)[number] | (typeof singles)[number] | 'spatialExpand';
export type ElementwiseNode = Extract<GraphNode, { op: ElementwiseName }>;

/** Operations whose results have the shape of an image and values per channel among their inputs. */
const onImages: ReadonlySet<string> = new Set<ElementwiseName>([
  'addChannel',
  'batchNorm',
  'channelCombine',
  'spatialScale',
  'spatialExpand',
]);

export const isElementwise = (node: GraphNode): node is ElementwiseNode => fullPositions.has(node.op);
export const wantsBlocked = ({ op }: GraphNode): boolean => onImages.has(op);
/** The inputs that are read at the index of the result; among scalars, a factor too. */
export function fullInputsOf({ op, inputs, shape }: GraphNode): readonly GraphNode[] {
  const all: readonly GraphNode[] = inputs;
  if (op === 'scale' && shape.length === 0) return all;
  return (fullPositions.get(op) ?? []).map((position) => all[position]);
}

export interface ElementwiseGroup {
  readonly shape: Shape;
  readonly layout: Layout;
  /** In an order in which they can be computed. */
  readonly members: readonly ElementwiseNode[];
  /** The members that are stored, and where. */
  readonly outputs: ReadonlyMap<GraphNode, GpuTensor>;
}

type Read = (node: GraphNode) => GpuTensor;

interface Reads {
  readonly full: Read;
  readonly side: Read;
}

/** A tensor that is both read and written (a variable updated in place) is read before it is written. */
export function elementwiseKernels({ limits }: KernelContext, group: ElementwiseGroup, reads: Reads): Kernel[] {
  const { shape, layout, members, outputs } = group;
  const count = layout === 'blocked' ? blockedSizes(shape).count : storedElements(shape, layout) / 4;
  const whole = passOver([0, count], group, reads);
  if (whole.shader.bindingCount <= limits.maxStorageBuffersPerShaderStage) {
    return [whole.shader.buildEach({ limits, count, body: whole.body })];
  }
  const inside = new Set<GraphNode>(members);
  const operands = members.flatMap(fullInputsOf).filter((input) => !inside.has(input) && input.op !== 'constant');
  const tensors = [...outputs.values(), ...operands.map(reads.full)];
  const ends = new Set(tensors.flatMap((tensor) => partsOf(tensor, 4).map(({ end }) => end)));
  let first = 0;
  return [...ends]
    .sort((a, b) => a - b)
    .map((end) => {
      const { shader, body } = passOver([first, end], group, reads);
      const kernel = shader.buildEach({ limits, first, count: end, body });
      first = end;
      return kernel;
    });
}

function passOver(
  range: readonly [number, number],
  { shape, layout, members, outputs }: ElementwiseGroup,
  { full, side }: Reads,
): { shader: Shader; body: string } {
  const label = [...new Set(members.map(({ op }) => op))].slice(0, 6).join('+');
  const shader = new Shader(label);
  const written = new Set(outputs.values());
  const declared = new Set<GpuTensor>();
  const names = new Map<string, string>();
  const lines: string[] = [];
  const inside = new Set(members.map(({ id }) => id));
  const aligned = { vec4: true, range };
  const declare = (tensor: GpuTensor, view: View): string => {
    const name = `t${names.size}`;
    declared.add(tensor);
    if (written.has(tensor)) shader.update(name, tensor, view);
    else shader.read(name, tensor, view);
    return name;
  };
  const once = (key: string, make: (name: string) => string): string => {
    const known = names.get(key);
    if (known !== undefined) return known;
    const name = `e${names.size}`;
    const value = make(name);
    names.set(key, name);
    lines.push(`let ${name} = ${value};`);
    return name;
  };
  const operand = (node: GraphNode): string => {
    if (inside.has(node.id)) return `v${node.id}`;
    if (node.op === 'constant') return `vec4f(${float(node.attributes.value)})`;
    return once(`full ${node.id}`, () => `${declare(full(node), aligned)}(i)`);
  };
  const scalar = (node: GraphNode): string => {
    if (node.op === 'constant') return float(node.attributes.value);
    // In a group of scalars the factor is an operand like any other, perhaps of the group itself.
    if (shape.length === 0) return operand(node);
    return once(`scalar ${node.id}`, () => `${declare(side(node), {})}(0u)`);
  };
  const perChannel = (node: GraphNode): string => {
    if (node.op === 'constant') return `vec4f(${float(node.attributes.value)})`;
    return once(`channel ${node.id}`, () => `${declare(side(node), { vec4: true })}(b)`);
  };
  const perSample = (node: GraphNode): string => {
    if (node.op === 'constant') return `vec4f(${float(node.attributes.value)})`;
    const { c } = blockedSizes(shape);
    return once(`sample ${node.id}`, () => {
      if (c % 4 === 0) return `${declare(side(node), { vec4: true })}(n * ${c / 4}u + b)`;
      const name = declare(side(node), {});
      const lane = (at: number): string => `${name}(n * ${c}u + min(b * 4u + ${at}u, ${c - 1}u))`;
      return `vec4f(${[0, 1, 2, 3].map(lane).join(', ')})`;
    });
  };
  for (const node of members) {
    const value = expression(node, { operand, scalar, perChannel, perSample });
    lines.push(`let v${node.id} = ${value};`);
  }
  const sizes = layout === 'blocked' ? blockedSizes(shape) : undefined;
  const stores: string[] = [];
  for (const [node, tensor] of outputs) {
    const name = `y${node.id}`;
    if (declared.has(tensor)) shader.update(name, tensor, aligned);
    else shader.write(name, tensor, aligned);
    stores.push(`${name}_set(i, ${sizes ? maskChannels(`v${node.id}`, sizes) : `v${node.id}`});`);
  }
  return { shader, body: [sizes ? blockedIndex(sizes) : '', ...lines, ...stores].join('\n  ') };
}

interface Operands {
  readonly operand: (node: GraphNode) => string;
  readonly scalar: (node: GraphNode) => string;
  readonly perChannel: (node: GraphNode) => string;
  readonly perSample: (node: GraphNode) => string;
}

function expression(node: ElementwiseNode, { operand, scalar, perChannel, perSample }: Operands): string {
  const [first] = node.inputs;
  const a = (): string => operand(first);
  switch (node.op) {
    case 'add':
      return `${a()} + ${operand(node.inputs[1])}`;
    case 'sub':
      return `${a()} - ${operand(node.inputs[1])}`;
    case 'mul':
      return `${a()} * ${operand(node.inputs[1])}`;
    case 'div':
      return `${a()} / ${operand(node.inputs[1])}`;
    case 'affine': {
      const { scale, offset } = node.attributes;
      const scaled = scale === 1 ? a() : `${a()} * ${float(scale)}`;
      return offset === 0 ? scaled : `${scaled} + ${float(offset)}`;
    }
    case 'scale':
      return `${a()} * ${scalar(node.inputs[1])}`;
    case 'relu':
      return `max(${a()}, vec4f())`;
    case 'reluGradient':
      return `select(vec4f(), ${a()}, ${operand(node.inputs[1])} > vec4f())`;
    case 'leakyRelu':
      return `select(${float(node.attributes.slope)} * ${a()}, ${a()}, ${a()} > vec4f())`;
    case 'leakyReluGradient':
      return `select(${float(node.attributes.slope)} * ${a()}, ${a()}, ${operand(node.inputs[1])} > vec4f())`;
    case 'sigmoid':
      return `1.0 / (1.0 + exp(-${a()}))`;
    case 'exp':
    case 'log':
    case 'sqrt':
      return `${node.op}(${a()})`;
    case 'addChannel':
      return `${a()} + ${perChannel(node.inputs[1])}`;
    case 'batchNorm': {
      const [, mean, variance, gamma, beta] = node.inputs;
      const deviation = `sqrt(${perChannel(variance)} + ${float(node.attributes.epsilon)})`;
      return `${perChannel(gamma)} * (${a()} - ${perChannel(mean)}) / ${deviation} + ${perChannel(beta)}`;
    }
    case 'channelCombine': {
      const [, second, factor, other, offset] = node.inputs;
      return `${perChannel(factor)} * ${a()} + ${perChannel(other)} * ${operand(second)} + ${perChannel(offset)}`;
    }
    case 'spatialScale':
      return `${a()} * ${perSample(node.inputs[1])}`;
    case 'spatialExpand':
      return perSample(first);
  }
}
