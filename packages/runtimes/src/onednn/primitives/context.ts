/**
 * What the lowering rules share: which tensor holds a node's value, in which layout and type, and who reads it.
 *
 * Layouts: images (what convolutions, pooling and normalisation make) have their channels innermost; everything else
 * is flat. With `bfloat16`, images are bfloat16 but for the region between the last convolutions and the loss, which
 * stays float32; statistics, weights and everything flat are float32 always. Conversions are made where a rule asks
 * for another form, once each.
 */
import {
  elementCount,
  type Graph,
  type GraphNode,
  liveNodes,
  type OperationName,
  type Shape,
} from '@quickcolumn/graph';
import { argument, type DataType, type Descriptor, type Geometry } from '../library/api.js';
import { type Layout, Program, type Tensor } from '../program/program.js';

export interface Form {
  readonly layout: 'flat' | 'image';
  readonly type: DataType;
}

export interface LowerOptions {
  readonly bfloat16: boolean;
  /** Flat tensors of at most so many elements are computed in TypeScript: a call would cost more than the work. */
  readonly smallElements: number;
}

/** Work on elements that a primitive's post-operations can do. */
const elementwise = [
  'add', 'sub', 'mul', 'div', 'affine', 'scale', 'relu', 'reluGradient', 'leakyRelu', 'leakyReluGradient', 'sigmoid',
  'exp', 'log', 'sqrt', 'addChannel', 'batchNorm', 'channelCombine', 'spatialScale',
] as const; // biome-ignore format: a list
const elementwiseNames: ReadonlySet<string> = new Set<OperationName>(elementwise);

export type ElementwiseNode = Extract<GraphNode, { op: (typeof elementwise)[number] }>;
export const isElementwise = (node: GraphNode): node is ElementwiseNode => elementwiseNames.has(node.op);

const makesImage: ReadonlySet<string> = new Set<OperationName>([
  'conv3d',
  'convTranspose3d',
  'conv3dInputGradient',
  'logSoftmaxGradient',
  'resize',
]);
const isConvolution = (
  node: GraphNode,
): node is Extract<GraphNode, { op: 'conv3d' | 'convTranspose3d' | 'conv3dInputGradient' }> =>
  node.op === 'conv3d' || node.op === 'convTranspose3d' || node.op === 'conv3dInputGradient';
const makesFlat: ReadonlySet<string> = new Set<OperationName>([
  'conv3dWeightGradient',
  'resizeGradient',
  'oneHot',
  'spatialExpand',
  'logSoftmax',
]);
const passesFloat32: ReadonlySet<string> = new Set<OperationName>([
  'resize',
  'add',
  'sub',
  'addChannel',
  'affine',
  'scale',
]);

/**
 * Whether a convolution may compute in bfloat16: its processors' instructions take channels in pairs, and with counts
 * that are no multiple of 4 oneDNN 3.6 reads (and in the weight gradient with AMX, crashes) beyond the image. A single
 * input channel, the scan, has kernels of its own that do not.
 */
export function suitsBfloat16(weights: Shape): boolean {
  const [outputs, inputs] = weights;
  return outputs % 4 === 0 && (inputs % 4 === 0 || inputs === 1);
}

export class Context {
  readonly graph: Graph;
  readonly program: Program;
  readonly options: LowerOptions;
  readonly nodes: readonly GraphNode[];
  /** Lists a node that was put off (constants, broadcasts), set by the lowering. */
  materialise: (node: GraphNode) => void = () => {};
  private readonly readerLists = new Map<number, GraphNode[]>();
  private readonly published: ReadonlySet<number>;
  private readonly forms = new Map<number, Form>();
  private readonly homes = new Map<number, Tensor>();
  private readonly converted = new Map<string, Tensor>();
  private readonly constants = new Map<string, Tensor>();
  private readonly fills: { tensor: Tensor; data: (view: Float32Array) => void }[] = [];

  constructor(graph: Graph, program: Program, options: LowerOptions) {
    this.graph = graph;
    this.program = program;
    this.options = options;
    this.nodes = liveNodes(graph);
    this.published = new Set([...graph.outputs.values(), ...graph.assignments.values()].map(({ id }) => id));
    for (const node of this.nodes)
      for (const input of node.inputs)
        this.readerLists.set(input.id, [...(this.readerLists.get(input.id) ?? []), node]);
    this.decideForms();
  }

  /** Nodes that read this one, one entry per reading. */
  readers(node: GraphNode): readonly GraphNode[] {
    return this.readerLists.get(node.id) ?? [];
  }

  isPublished(node: GraphNode): boolean {
    return this.published.has(node.id);
  }

  form(node: GraphNode): Form {
    return this.forms.get(node.id) ?? { layout: 'flat', type: 'float32' };
  }

  /** Large enough, or an image: worth a primitive. */
  isLarge(node: GraphNode): boolean {
    return this.form(node).layout === 'image' || elementCount(node.shape) > Math.max(1, this.options.smallElements);
  }

  private decideForms(): void {
    const float32 = this.float32Region();
    const imageType = this.options.bfloat16 ? 'bfloat16' : 'float32';
    for (const node of this.nodes) {
      const inputs = node.inputs.map((input) => this.form(input));
      const image = inputs.filter(({ layout }) => layout === 'image');
      let layout: Form['layout'] = 'flat';
      if (makesImage.has(node.op)) layout = 'image';
      else if (!makesFlat.has(node.op) && node.shape.length === 5 && image.length > 0) layout = 'image';
      else if (['maxPool', 'maxPoolGradient', 'concat', 'sliceChannels'].includes(node.op)) layout = 'image';
      let type: DataType = layout === 'image' ? imageType : 'float32';
      if (layout === 'image') {
        const keeps = isElementwise(node) || ['concat', 'sliceChannels', 'resize', 'maxPool'].includes(node.op);
        // Batch norm in bfloat16 runs on plain loops where the channels are no multiple of 16.
        const narrow = node.op === 'batchNorm' && node.attributes.training && node.shape[1] % 16 !== 0;
        const odd = narrow || (isConvolution(node) && !suitsBfloat16(node.inputs[1].shape));
        if (odd || float32.has(node.id) || (keeps && image.some((form) => form.type === 'float32'))) type = 'float32';
      }
      if (node.type === 'uint8') type = 'uint8';
      this.forms.set(node.id, { layout, type });
    }
  }

  /** From the softmax back to the convolutions that make its logits, and the gradient of the softmax. */
  private float32Region(): Set<number> {
    const region = new Set<number>();
    const stack = this.nodes.filter(({ op }) => op === 'logSoftmax').flatMap(({ inputs }) => inputs);
    for (const node of this.nodes) if (node.op === 'logSoftmaxGradient') region.add(node.id);
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (region.has(node.id)) continue;
      region.add(node.id);
      if (passesFloat32.has(node.op)) stack.push(...node.inputs);
    }
    return region;
  }

  set(node: GraphNode, tensor: Tensor): void {
    this.homes.set(node.id, tensor);
  }

  has(node: GraphNode): boolean {
    return this.homes.has(node.id);
  }

  /** The node's value as it was made. */
  home(node: GraphNode): Tensor {
    if (!this.homes.has(node.id)) this.materialise(node);
    const tensor = this.homes.get(node.id);
    if (!tensor) throw new Error(`onednn: node ${node.id} (${node.op}) is read before it is made`);
    return tensor;
  }

  /** A fresh tensor for the node's value, in its form. */
  produce(node: GraphNode): Tensor {
    const { layout, type } = this.form(node);
    const tensor = this.program.tensor(node.shape, layout, { type });
    this.set(node, tensor);
    return tensor;
  }

  /** The node's value in a form, converted if need be. */
  get(node: GraphNode, form: Form): Tensor {
    return this.convert(this.home(node), form);
  }

  flat(node: GraphNode): Tensor {
    return this.get(node, { layout: 'flat', type: node.type === 'uint8' ? 'uint8' : 'float32' });
  }

  convert(tensor: Tensor, form: Form): Tensor {
    if (tensor.layout === form.layout && tensor.type === form.type) return tensor;
    const key = `${tensor.id} ${form.layout} ${form.type}`;
    const earlier = this.converted.get(key);
    if (earlier) return earlier;
    const sameOrder = tensor.layout === form.layout || isEitherLayout(tensor.shape);
    let result: Tensor;
    if (sameOrder && tensor.type === form.type) {
      result = this.program.reinterpret(tensor, tensor.shape, form.layout);
    } else {
      result = this.program.tensor(tensor.shape, form.layout, { type: form.type });
      this.reorder('convert', [tensor, this.describe(tensor)], [result, this.describe(result)]);
    }
    this.converted.set(key, result);
    return result;
  }

  /** Copies with a change of layout or type; `offset`s are bytes. */
  reorder(
    op: string,
    [from, fromDescriptor, fromOffset = 0]: readonly [Tensor, Descriptor, number?],
    [to, toDescriptor, toOffset = 0]: readonly [Tensor, Descriptor, number?],
  ): void {
    const { api } = this.program.library;
    const descriptor = this.withAttributes((attributes) => api.reorder(fromDescriptor, toDescriptor, attributes));
    this.program.addPrimitive(op, descriptor, [
      { argument: argument.src, tensor: from, descriptor: fromDescriptor, role: 'read', offset: fromOffset },
      { argument: argument.dst, tensor: to, descriptor: toDescriptor, role: 'write', offset: toOffset },
    ]);
  }

  withAttributes<T>(make: (attributes: bigint) => T): T {
    const { library } = this.program;
    const attributes = library.attributes();
    try {
      return make(attributes);
    } finally {
      library.destroyAttributes(attributes);
    }
  }

  describe(tensor: Tensor): Descriptor {
    return this.descriptor(tensor.shape, tensor.layout, tensor.type);
  }

  descriptor(shape: Shape, layout: Layout, type: DataType): Descriptor {
    const { api } = this.program.library;
    if (layout === 'packed') return api.describe(shape, type, 'any');
    const sizes = shape.length === 0 ? [1] : shape;
    return api.describe(sizes, type, layout === 'image' ? imageStrides(sizes) : rowMajor(sizes));
  }

  /** A constant float32 tensor, shared by its key. */
  constant(key: string, shape: Shape, fill: (view: Float32Array) => void): Tensor {
    const earlier = this.constants.get(key);
    if (earlier) return earlier;
    const tensor = this.program.tensor(shape, 'flat', { kept: true });
    tensor.stable = true;
    this.constants.set(key, tensor);
    this.fills.push({ tensor, data: fill });
    return tensor;
  }

  scalar(value: number): Tensor {
    return this.constant(`scalar ${value}`, [1], (view) => view.fill(value));
  }

  /** Ones in a form, at least `count` of them. */
  ones(count: number, type: DataType): Tensor {
    const flat = this.constant(`ones ${count}`, [1, count], (view) => view.fill(1));
    return this.convert(flat, { layout: 'flat', type });
  }

  /** Writes the constants; called once the memory is there. */
  fillConstants(floats: (tensor: Tensor) => Float32Array): void {
    for (const { tensor, data } of this.fills) data(floats(tensor));
  }
}

/** One channel or one voxel: both layouts are the same bytes. */
function isEitherLayout(shape: Shape): boolean {
  return shape.length !== 5 || shape[1] === 1 || elementCount(shape.slice(2)) === 1;
}

export function rowMajor(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

/** [N, C, …] with the channels innermost; `channels` of the tensor that it is a part of. */
export function imageStrides(shape: Shape, channels: number = shape[1]): number[] {
  const strides = shape.map(() => 1);
  let step = channels;
  for (let axis = shape.length - 1; axis >= 2; axis--) {
    strides[axis] = step;
    step *= shape[axis];
  }
  strides[0] = step;
  return strides;
}

/** Strides and paddings of a convolution of the graph: same padding with stride 1, none where stride = kernel. */
export function geometryOf(kernel: Shape, stride: number): Geometry {
  const pads = kernel.map((size) => (stride === 1 ? (size - 1) / 2 : 0));
  return { strides: kernel.map(() => stride), before: pads, after: pads };
}
