/**
 * What the rules of `lower.ts` share: the tensors of nodes in each layout, the list of passes, and the storage type.
 *
 * Images are blocked where an operation wants them so; everything else is plain. A tensor wanted in the other layout
 * is converted once. The trap: half storage ends at the loss. Behind the softmax, gradients of means over a million
 * voxels are below what float16 can hold, so what follows from it is stored in float32.
 */
import { type Graph, type GraphNode, liveNodes, type Shape } from '@quickcolumn/graph';
import type { ConvolutionOp } from '../conv/geometry.js';
import type { ConvolutionContext } from '../conv/tile-types.js';
import { convert, fill, widen } from '../kernels/convert.js';
import type { GpuTensor, Kernel, KernelLimits, Layout, Storage } from '../kernels/kernel.js';
import { makeTensor } from '../kernels/tensors.js';

export interface LowerOptions {
  readonly limits: KernelLimits;
  /** True where a processor plays graphics card: kernels that compile faster. */
  readonly software?: boolean;
  /** Stores images of the forward pass in float16. */
  readonly half?: boolean;
  /** Names of measured tiles by `tileKey`. */
  readonly tiles?: ReadonlyMap<string, string>;
}

export class PassBuilder implements ConvolutionContext {
  readonly nodes: readonly GraphNode[];
  readonly kernels: Kernel[] = [];
  readonly convolutions: ConvolutionOp[] = [];
  readonly limits: KernelLimits;
  readonly software: boolean;
  readonly tiles: ReadonlyMap<string, string>;
  readonly #readers = new Map<number, GraphNode[]>();
  readonly #published = new Set<number>();
  readonly #tensors = new Map<number, Map<Layout, GpuTensor>>();
  readonly #forms = new Map<number, Layout>();
  readonly #wide = new Set<number>();
  readonly #done = new Set<number>();
  readonly #half: boolean;
  /** Lists what a node still waits for; set by the rules for elementwise work. */
  flush: (node: GraphNode) => void = () => {};

  constructor(graph: Graph, { limits, software = false, half = false, tiles = new Map() }: LowerOptions) {
    this.limits = limits;
    this.software = software;
    this.tiles = tiles;
    this.#half = half;
    this.nodes = liveNodes(graph);
    for (const node of [...graph.outputs.values(), ...graph.assignments.values()]) this.#published.add(node.id);
    for (const node of this.nodes) {
      for (const input of new Set(node.inputs)) {
        const list = this.#readers.get(input.id);
        if (list) list.push(node);
        else this.#readers.set(input.id, [node]);
      }
      if (node.op === 'logSoftmax' || node.inputs.some(({ id }) => this.#wide.has(id))) this.#wide.add(node.id);
    }
  }

  readers(node: GraphNode): readonly GraphNode[] {
    return this.#readers.get(node.id) ?? [];
  }

  /** Whether a node is an output or some variable's next value. */
  isPublished(node: GraphNode): boolean {
    return this.#published.has(node.id);
  }

  /** Whether the passes of a node are listed. */
  isDone(node: GraphNode): boolean {
    return this.#done.has(node.id);
  }

  /** The layout that a node's own pass writes. */
  form(node: GraphNode): Layout {
    return this.#forms.get(node.id) ?? 'plain';
  }

  setForm(node: GraphNode, layout: Layout): void {
    this.#forms.set(node.id, layout);
  }

  storageOf(node: GraphNode, layout: Layout): Storage {
    if (node.type === 'uint8') return 'u8';
    return this.#half && layout === 'blocked' && !this.#wide.has(node.id) ? 'f16' : 'f32';
  }

  /** Bound, because kernels take the context apart. */
  readonly scratch = (shape: Shape, layout: Layout): GpuTensor => makeTensor(shape, layout, { limits: this.limits });

  tensorFor(node: GraphNode, layout: Layout): GpuTensor {
    return makeTensor(node.shape, layout, { storage: this.storageOf(node, layout), limits: this.limits });
  }

  /** Gives a node the tensor that its pass writes. */
  set(node: GraphNode, tensor: GpuTensor): void {
    const known = this.#tensors.get(node.id);
    if (known) known.set(tensor.layout, tensor);
    else this.#tensors.set(node.id, new Map([[tensor.layout, tensor]]));
    this.#done.add(node.id);
  }

  /** The tensor that a node's pass writes, in the node's layout. */
  produce(node: GraphNode): GpuTensor {
    const tensor = this.tensorFor(node, this.form(node));
    this.set(node, tensor);
    return tensor;
  }

  /** A node's values in a layout; lists the passes that are missing. */
  get(node: GraphNode, layout: Layout): GpuTensor {
    this.flush(node);
    const known = this.#tensors.get(node.id);
    const own = known?.get(layout);
    if (own) return own;
    const tensor = this.tensorFor(node, layout);
    const other = known?.values().next().value;
    if (other) this.emit(convert(this, other, tensor));
    else if (node.op === 'constant') this.emit(fill(this, tensor, node.attributes.value));
    else throw new Error(`the tensor of ${node.op} ${node.id} is read before it is written`);
    this.set(node, tensor);
    return tensor;
  }

  /** A node's values as plain float32 in a tensor of its own, which nothing else overwrites. */
  copyOf(node: GraphNode): GpuTensor {
    const result = makeTensor(node.shape, 'plain', { limits: this.limits });
    this.emit(widen(this, this.get(node, 'plain'), result));
    return result;
  }

  emit(...kernels: readonly Kernel[]): void {
    this.kernels.push(...kernels);
  }
}
