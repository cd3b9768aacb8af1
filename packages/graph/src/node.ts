/**
 * The nodes of a graph: inputs, variables and constants, and one kind for each operation. `op` tells them apart, so
 * `node.op === 'conv3d'` gives the inputs and attributes of a convolution.
 */
import type { AttributesOf, InputsOf, OperationName, PlainOperation } from './operations/specs.js';

export type ElementKind = 'float32' | 'uint8';
export type Shape = readonly number[];

interface NodeFields {
  /** Its position in the graph. */
  readonly id: number;
  readonly shape: Shape;
  readonly type: ElementKind;
}

interface LeafFields extends NodeFields {
  readonly inputs: readonly GraphNode[];
}

export interface InputNode extends LeafFields {
  readonly op: 'input';
  readonly attributes: Readonly<Record<string, never>>;
  readonly name: string;
}

export interface VariableNode extends LeafFields {
  readonly op: 'variable';
  readonly attributes: Readonly<Record<string, never>>;
  readonly name: string;
}

export interface ConstantNode extends LeafFields {
  readonly op: 'constant';
  /** Every element has this value. */
  readonly attributes: { readonly value: number };
  readonly name?: undefined;
}

export interface OperationNode<Op extends OperationName> extends NodeFields {
  readonly op: Op;
  readonly inputs: InputsOf<Op, GraphNode>;
  readonly attributes: AttributesOf<Op>;
  readonly name?: undefined;
}

export type GraphNode =
  | InputNode
  | VariableNode
  | ConstantNode
  | { [Op in OperationName]: OperationNode<Op> }[OperationName];

/** What gradient rules append nodes with; a Graph is one. */
export interface NodeBuilder {
  constant(value: number, shape?: Shape): GraphNode;
  apply<Op extends OperationName>(
    op: Op,
    inputs: InputsOf<Op, GraphNode>,
    ...attributes: [Op] extends [PlainOperation] ? [attributes?: AttributesOf<Op>] : [attributes: AttributesOf<Op>]
  ): GraphNode;
}

/** Number of elements of a shape. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}
