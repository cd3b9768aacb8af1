/** What JavaScript does: applies an operation whose name, inputs and attributes the compiler has not seen together. */
import type { Graph } from './graph.js';
import type { GraphNode } from './node.js';
import type { AttributesOf, InputsOf, OperationName } from './operations/specs.js';

export function applyAny(graph: Graph, op: string, inputs: readonly unknown[], attributes: object = {}): GraphNode {
  return graph.apply(
    op as OperationName,
    inputs as unknown as InputsOf<OperationName, GraphNode>,
    attributes as AttributesOf<OperationName>,
  );
}
