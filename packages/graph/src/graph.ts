/**
 * The static computation graph: nodes with known shapes, made once, executed by a runtime many times.
 *
 * A network, its loss, its gradients and its optimiser step are one graph. Nodes are appended in an order in which
 * they can be executed. Variables live on the device between runs; `assign` says what a variable becomes after a run.
 * Tensors are C-ordered; images are [N, C, D, H, W].
 */
import { GraphError } from './errors.js';
import { operations } from './operations/index.js';

export type ElementKind = 'float32' | 'uint8';
export type Shape = readonly number[];
export type Attributes = Readonly<Record<string, number | string | boolean | readonly number[]>>;

export interface GraphNode {
  readonly id: number;
  /** Name of an operation, or `input`, `variable`, `constant`. */
  readonly op: string;
  readonly inputs: readonly GraphNode[];
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly type: ElementKind;
  /** Set on inputs and variables. */
  readonly name?: string;
}

/** How a variable starts: a constant, or normal values with the given standard deviation (drawn by the caller). */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly sd: number };

export interface Variable {
  readonly node: GraphNode;
  readonly initializer: Initializer;
  /** Trainable variables get gradients; the others (running statistics, moments) only assignments. */
  readonly trainable: boolean;
}

export class Graph {
  readonly nodes: GraphNode[] = [];
  readonly inputs: Map<string, GraphNode> = new Map();
  readonly variables: Map<string, Variable> = new Map();
  readonly outputs: Map<string, GraphNode> = new Map();
  /** Variable name → its value after a run. */
  readonly assignments: Map<string, GraphNode> = new Map();

  input(name: string, shape: Shape, type: ElementKind = 'float32'): GraphNode {
    this.refuseTaken(name);
    const node = this.append('input', [], {}, shape, type, name);
    this.inputs.set(name, node);
    return node;
  }

  variable(name: string, shape: Shape, initializer: Initializer, trainable = true): GraphNode {
    this.refuseTaken(name);
    const node = this.append('variable', [], {}, shape, 'float32', name);
    this.variables.set(name, { node, initializer, trainable });
    return node;
  }

  /** A constant tensor filled with one value. */
  constant(value: number, shape: Shape = []): GraphNode {
    return this.append('constant', [], { value }, shape, 'float32');
  }

  /** Appends an operation. Throws GraphError when the shapes do not fit. */
  apply(op: string, inputs: readonly GraphNode[], attributes: Attributes = {}): GraphNode {
    const operation = operations.get(op);
    if (!operation) throw new GraphError(op, 'there is no such operation');
    return this.append(op, inputs, attributes, operation.shape(inputs, attributes), 'float32');
  }

  output(name: string, node: GraphNode): void {
    this.refuseTaken(name);
    this.outputs.set(name, node);
  }

  assign(variable: GraphNode, value: GraphNode): void {
    const name = variable.name;
    if (variable.op !== 'variable' || name === undefined)
      throw new GraphError('assign', 'the target is not a variable');
    if (variable.shape.join() !== value.shape.join()) {
      throw new GraphError('assign', `${name} is [${variable.shape}], the value is [${value.shape}]`);
    }
    this.assignments.set(name, value);
  }

  private refuseTaken(name: string): void {
    const taken = this.inputs.has(name) || this.variables.has(name) || this.outputs.has(name);
    if (taken) throw new GraphError('graph', `the name ${name} is taken`);
  }

  private append(
    op: string,
    inputs: readonly GraphNode[],
    attributes: Attributes,
    shape: Shape,
    type: ElementKind,
    name?: string,
  ): GraphNode {
    const node: GraphNode = {
      id: this.nodes.length,
      op,
      inputs,
      attributes,
      shape,
      type,
      ...(name === undefined ? {} : { name }),
    };
    this.nodes.push(node);
    return node;
  }
}

/** Number of elements of a shape. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
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
