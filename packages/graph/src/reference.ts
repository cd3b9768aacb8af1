/**
 * The reference interpreter: runs a graph node by node in float64 with plain loops. It exists to be compared with;
 * it is thousands of times slower than a runtime.
 */
import { elementCount, type Graph, type GraphNode, liveNodes } from './graph.js';
import { operations } from './operations/index.js';
import type { ReferenceTensor } from './operations/operation.js';

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
  if (node.op === 'constant') return new Float64Array(elementCount(node.shape)).fill(Number(node.attributes.value));
  if (node.op === 'input' || node.op === 'variable') {
    const data = values.get(node.name ?? '');
    if (!data) throw new RangeError(`no value for ${node.name}`);
    return Float64Array.from(data);
  }
  const inputs = node.inputs.map((input) => done.get(input.id) as ReferenceTensor);
  const operation = operations.get(node.op);
  if (!operation) throw new RangeError(`no operation ${node.op}`);
  return operation.evaluate(inputs, node.attributes, node.shape);
}
