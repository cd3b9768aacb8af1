/**
 * The static computation graph: nodes with known shapes, made once, executed by a runtime many times.
 *
 * A network, its loss, its gradients and its optimiser step are one graph. Nodes are appended in an order in which
 * they can be executed. Variables live on the device between runs; `assign` says what a variable becomes after a run.
 * Tensors are C-ordered; images are [N, C, D, H, W].
 */
import { GraphError } from './errors.js';
import type { ElementKind, GraphNode, InputNode, NodeBuilder, Shape, VariableNode } from './node.js';
import { checkArguments } from './operations/arguments.js';
import { operationOf } from './operations/index.js';
import type { AttributesOf, InputsOf, OperationName, PlainOperation } from './operations/specs.js';

/** How a variable starts: a constant, or normal values with the given standard deviation (drawn by the caller). */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly sd: number };

export interface Variable {
  readonly node: VariableNode;
  readonly initializer: Initializer;
  /** Trainable variables get gradients; the others (running statistics, moments) only assignments. */
  readonly trainable: boolean;
}

export class Graph implements NodeBuilder {
  readonly nodes: GraphNode[] = [];
  readonly inputs: Map<string, InputNode> = new Map();
  readonly variables: Map<string, Variable> = new Map();
  readonly outputs: Map<string, GraphNode> = new Map();
  /** Variable name → its value after a run. */
  readonly assignments: Map<string, GraphNode> = new Map();

  input(name: string, shape: Shape, type: ElementKind = 'float32'): GraphNode {
    this.refuseTaken(name);
    const node: InputNode = { id: this.nodes.length, op: 'input', inputs: [], attributes: {}, shape, type, name };
    this.nodes.push(node);
    this.inputs.set(name, node);
    return node;
  }

  variable(name: string, shape: Shape, initializer: Initializer, trainable = true): VariableNode {
    this.refuseTaken(name);
    const kind = { op: 'variable', inputs: [], attributes: {}, type: 'float32' } as const;
    const node: VariableNode = { id: this.nodes.length, ...kind, shape, name };
    this.nodes.push(node);
    this.variables.set(name, { node, initializer, trainable });
    return node;
  }

  /** A constant tensor filled with one value. */
  constant(value: number, shape: Shape = []): GraphNode {
    const kind = { op: 'constant', inputs: [], type: 'float32' } as const;
    const node: GraphNode = { id: this.nodes.length, ...kind, attributes: { value }, shape };
    this.nodes.push(node);
    return node;
  }

  /**
   * Appends an operation; its inputs and attributes are those of `operationSpecs`.
   * @throws GraphError where they, or the shapes, do not fit
   */
  apply<Op extends OperationName>(
    op: Op,
    inputs: InputsOf<Op, GraphNode>,
    ...[attributes]: [Op] extends [PlainOperation] ? [attributes?: AttributesOf<Op>] : [attributes: AttributesOf<Op>]
  ): GraphNode {
    const given = (attributes ?? {}) as AttributesOf<Op>;
    checkArguments(op, inputs, given);
    for (const input of inputs as readonly (GraphNode | undefined)[]) {
      const known = input !== undefined && this.nodes[input.id] === input;
      if (!known) throw new GraphError(op, 'an input is not a node of this graph');
    }
    const shape = operationOf(op).shape(inputs, given);
    const node = { id: this.nodes.length, op, inputs, attributes: given, shape, type: 'float32' } as GraphNode;
    this.nodes.push(node);
    return node;
  }

  output(name: string, node: GraphNode): void {
    this.refuseTaken(name);
    this.outputs.set(name, node);
  }

  assign(variable: GraphNode, value: GraphNode): void {
    if (variable.op !== 'variable') throw new GraphError('assign', 'the target is not a variable');
    const { name } = variable;
    if (variable.shape.join() !== value.shape.join()) {
      throw new GraphError('assign', `${name} is [${variable.shape}], the value is [${value.shape}]`);
    }
    this.assignments.set(name, value);
  }

  private refuseTaken(name: string): void {
    const taken = this.inputs.has(name) || this.variables.has(name) || this.outputs.has(name);
    if (taken) throw new GraphError('graph', `the name ${name} is taken`);
  }
}

/** The nodes that the outputs and assignments need, in execution order. */
export function liveNodes(graph: Graph): GraphNode[] {
  const needed = new Set<number>();
  const stack = [...graph.outputs.values(), ...graph.assignments.values()];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (needed.has(node.id)) continue;
    needed.add(node.id);
    stack.push(...node.inputs);
  }
  return graph.nodes.filter((node) => needed.has(node.id));
}
