/**
 * The reference interpreter: runs a graph node by node in float64 with plain loops. It exists to be compared with;
 * it is thousands of times slower than a runtime.
 */
import { type Graph, liveNodes } from './graph.js';
import { elementCount, type GraphNode, type OperationNode } from './node.js';
import { operationOf } from './operations/index.js';
import type { ReferenceTensor } from './operations/operation.js';
import type { InputsOf, OperationName } from './operations/specs.js';

/**
 * @param values Data of every input and variable, by name.
 * @returns The outputs by name, and the assigned variables under their own names.
 */
export function runReference(
  graph: Graph,
  values: ReadonlyMap<string, ArrayLike<number>>,
): Map<string, ReferenceTensor> {
  const done = new Map<number, ReferenceTensor>();
  for (const node of liveNodes(graph)) done.set(node.id, { shape: node.shape, data: evaluate(node, done, values) });
  const results = new Map<string, ReferenceTensor>();
  for (const [name, node] of [...graph.outputs, ...graph.assignments]) {
    const tensor = done.get(node.id);
    if (tensor) results.set(name, tensor);
  }
  return results;
}

function evaluate(
  node: GraphNode,
  done: ReadonlyMap<number, ReferenceTensor>,
  values: ReadonlyMap<string, ArrayLike<number>>,
): Float64Array {
  switch (node.op) {
    case 'constant':
      return new Float64Array(elementCount(node.shape)).fill(node.attributes.value);
    case 'input':
    case 'variable': {
      const data = values.get(node.name);
      if (!data) throw new RangeError(`no value for ${node.name}`);
      return Float64Array.from(data);
    }
    default:
      return evaluateNode(
        node,
        node.inputs.map((input) => done.get(input.id) as ReferenceTensor),
      );
  }
}

/** The value of one operation. @param inputs One tensor for each of its inputs. */
export function evaluateNode(node: OperationNode<OperationName>, inputs: readonly ReferenceTensor[]): Float64Array {
  const tensors = inputs as InputsOf<OperationName, ReferenceTensor>;
  return operationOf(node.op).evaluate(tensors, node.attributes, node.shape);
}
