/**
 * The rules that every operation has: the shape of its result, its gradient in terms of other operations, and its
 * meaning as a float64 evaluation that tests compare the runtimes with. No operation knows a runtime.
 */
import { GraphError } from '../errors.js';
import type { GraphNode, NodeBuilder, OperationNode, Shape } from '../node.js';
import type { AttributesOf, InputsOf, OperationName } from './specs.js';

export interface ReferenceTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/**
 * The gradient for one input: a function that appends its nodes, called only where that gradient is asked for; `none`
 * where it is zero by its nature (labels, masks); or why there is no rule, which `differentiate` refuses with.
 */
export type InputGradient = (() => GraphNode) | 'none' | { readonly unsupported: string };

export interface Operation<Op extends OperationName> {
  /** @throws GraphError where the shapes do not fit */
  shape(inputs: InputsOf<Op, GraphNode>, attributes: AttributesOf<Op>): Shape;
  /** One entry for each input, given the gradient `dy` of the result. */
  gradient(node: OperationNode<Op>, dy: GraphNode, graph: NodeBuilder): InputsOf<Op, InputGradient>;
  evaluate(inputs: InputsOf<Op, ReferenceTensor>, attributes: AttributesOf<Op>, shape: Shape): Float64Array;
}

export function sameShape(op: OperationName, a: GraphNode, b: GraphNode): Shape {
  if (a.shape.join() !== b.shape.join()) throw new GraphError(op, `shapes [${a.shape}] and [${b.shape}] differ`);
  return a.shape;
}

export function expectShape(op: OperationName, what: string, node: GraphNode, shape: Shape): void {
  if (node.shape.join() !== shape.join()) throw new GraphError(op, `${what} is [${node.shape}], expected [${shape}]`);
}

export function expectImage(op: OperationName, node: GraphNode): Shape {
  if (node.shape.length !== 5) throw new GraphError(op, `expected [N, C, D, H, W], got [${node.shape}]`);
  return node.shape;
}

/** Product of the sizes behind the channel axis. */
export function voxelCount(shape: Shape): number {
  return shape.slice(2).reduce((product, size) => product * size, 1);
}
