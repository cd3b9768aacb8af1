/**
 * The one shape that every operation has: its shape rule, its gradient rule in terms of other operations, and its
 * meaning as a float64 evaluation that tests compare the runtimes with. No operation knows a runtime.
 */
import { GraphError } from '../errors.js';
import type { Attributes, Graph, GraphNode, Shape } from '../graph.js';

export interface ReferenceTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export interface Operation {
  readonly name: string;
  shape(inputs: readonly GraphNode[], attributes: Attributes): Shape;
  /** Gradients for each input, given the gradient of the output; null where none flows. Absent: not differentiable. */
  gradient?(node: GraphNode, dy: GraphNode, graph: Graph): readonly (GraphNode | null)[];
  evaluate(inputs: readonly ReferenceTensor[], attributes: Attributes, shape: Shape): Float64Array;
}

export function sameShape(op: string, a: GraphNode, b: GraphNode): Shape {
  if (a.shape.join() !== b.shape.join()) throw new GraphError(op, `shapes [${a.shape}] and [${b.shape}] differ`);
  return a.shape;
}

export function expectShape(op: string, what: string, node: GraphNode, shape: Shape): void {
  if (node.shape.join() !== shape.join()) throw new GraphError(op, `${what} is [${node.shape}], expected [${shape}]`);
}

export function expectImage(op: string, node: GraphNode): Shape {
  if (node.shape.length !== 5) throw new GraphError(op, `expected [N, C, D, H, W], got [${node.shape}]`);
  return node.shape;
}

/** Product of the sizes behind the channel axis. */
export function voxelCount(shape: Shape): number {
  return shape.slice(2).reduce((product, size) => product * size, 1);
}
