/**
 * Groups elementwise operations, so that one pass does many of them and values in between stay in registers.
 *
 * Nodes come in the graph's order. A group is open until something outside of it reads one of its values; then it is
 * listed. So nothing that joins an open group can depend on it through others, and groups may always be merged.
 * An optimiser's update of a weight and its moments becomes one pass, which writes the variables in place: allowed
 * where all other readers of the variable are already listed, and it is not an output itself.
 */
import type { Graph, GraphNode, Shape } from '@quickcolumn/graph';
import { type ElementwiseNode, elementwiseKernels, fullInputsOf } from '../kernels/elementwise.js';
import type { GpuTensor, Layout } from '../kernels/kernel.js';
import type { PassBuilder } from './pass-builder.js';
import { makeTensor } from '../kernels/tensors.js';

interface Group {
  readonly shape: Shape;
  readonly layout: Layout;
  members: ElementwiseNode[];
}

const largestGroup = 64;

export class Fusion {
  readonly #passes: PassBuilder;
  readonly #pending = new Map<number, Group>();
  /** Next value's node id → the variable that it may overwrite. */
  readonly #targets = new Map<number, { node: GraphNode; tensor: GpuTensor }>();
  readonly #inPlace = new Set<number>();

  constructor(passes: PassBuilder, graph: Graph, variables: ReadonlyMap<string, GpuTensor>) {
    this.#passes = passes;
    for (const [name, value] of graph.assignments) {
      const variable = graph.variables.get(name)?.node;
      const tensor = variables.get(name);
      if (variable && tensor && !passes.isPublished(variable)) this.#targets.set(value.id, { node: variable, tensor });
    }
  }

  /** Whether the value of this node was written into its variable. */
  isInPlace(value: GraphNode, variable: GraphNode): boolean {
    return this.#inPlace.has(value.id) && this.#targets.get(value.id)?.node === variable;
  }

  /** Takes an elementwise node. The pass builder knows its form. */
  visit(node: ElementwiseNode): void {
    const layout = this.#passes.form(node);
    const full = new Set(fullInputsOf(node));
    for (const input of node.inputs) if (!full.has(input)) this.flush(input);
    const open = new Set<Group>();
    for (const input of full) {
      const group = this.#pending.get(input.id);
      if (group && group.layout === layout && sameShape(group.shape, node.shape)) open.add(group);
    }
    const groups = this.#joinable([...open], node);
    const joined: Group = { shape: node.shape, layout, members: [...groups.flatMap(({ members }) => members), node] };
    joined.members.sort((a, b) => a.id - b.id);
    for (const { id } of joined.members) this.#pending.set(id, joined);
    // What stays outside is read by a node outside of it.
    for (const input of full) if (this.#pending.get(input.id) !== joined) this.flush(input);
  }

  /** Lists the group that a node waits in, if it does. */
  flush(node: GraphNode): void {
    const group = this.#pending.get(node.id);
    if (!group) return;
    const { shape, layout, members } = group;
    for (const { id } of members) this.#pending.delete(id);
    const inside = new Set<GraphNode>(members);
    // Tensors of operands first: what converts them is listed before the group.
    for (const member of members) {
      const full = new Set(fullInputsOf(member));
      for (const input of member.inputs)
        if (!inside.has(input) && input.op !== 'constant') this.#passes.get(input, full.has(input) ? layout : 'plain');
    }
    const outputs = new Map<GraphNode, GpuTensor>();
    for (const member of members)
      if (this.#isStored(member, inside)) outputs.set(member, this.#resultOf(member, inside));
    const kernels = elementwiseKernels(
      this.#passes,
      { shape, layout, members, outputs },
      { full: (input) => this.#passes.get(input, layout), side: (input) => this.#passes.get(input, 'plain') },
    );
    this.#passes.emit(...kernels);
    for (const [member, tensor] of outputs) this.#passes.set(member, tensor);
  }

  flushAll(): void {
    for (const group of new Set(this.#pending.values())) this.flush(group.members[0]);
  }

  #isStored(member: GraphNode, inside: ReadonlySet<GraphNode>): boolean {
    return this.#passes.isPublished(member) || this.#passes.readers(member).some((reader) => !inside.has(reader));
  }

  #resultOf(member: GraphNode, inside: ReadonlySet<GraphNode>): GpuTensor {
    const target = this.#targets.get(member.id);
    if (target && this.#passes.form(member) === 'plain') {
      const readers = this.#passes.readers(target.node);
      const readsAligned = (reader: GraphNode): boolean =>
        inside.has(reader) &&
        reader.inputs.every((input) => input !== target.node || fullInputsOf(reader).includes(input));
      if (readers.every((reader) => this.#passes.isDone(reader) || readsAligned(reader))) {
        this.#inPlace.add(member.id);
        return target.tensor;
      }
    }
    return this.#passes.tensorFor(member, this.#passes.form(member));
  }

  /** The groups that the node can join without needing more bindings than the adapter has; all of them, one or none. */
  #joinable(groups: readonly Group[], node: ElementwiseNode): readonly Group[] {
    const tries = [groups, ...groups.map((group) => [group]).sort((a, b) => b[0].members.length - a[0].members.length)];
    const most = this.#passes.limits.maxStorageBuffersPerShaderStage;
    return tries.find((some) => some.length > 0 && this.#fits([...some.flatMap((g) => g.members), node], most)) ?? [];
  }

  #fits(members: readonly ElementwiseNode[], most: number): boolean {
    if (members.length > largestGroup) return false;
    const inside = new Set<GraphNode>(members);
    const read = new Set(
      members
        .flatMap(({ inputs }): readonly GraphNode[] => inputs)
        .filter((input) => !inside.has(input) && input.op !== 'constant'),
    );
    const written = members.filter((member) => this.#isStored(member, inside));
    // What has the group's shape is in at most one part: passes may take the range of one each.
    const { limits } = this.#passes;
    const parts = (node: GraphNode): number =>
      sameShape(node.shape, members[0].shape) ? 1 : makeTensor(node.shape, 'plain', { limits }).parts.length;
    const bindings = [...read, ...written].reduce((sum, node) => sum + parts(node), 0);
    return bindings <= most;
  }
}

const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((size, i) => size === b[i]);
