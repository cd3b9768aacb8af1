/** Checks of what callers hand to an executable, the same for every runtime. */
import { elementCount, type Graph } from '@quickcolumn/graph';
import type { NamedTensor } from './runtime.js';

/** @throws RangeError when an input is missing, or of another size or type. */
export function checkInputs(graph: Graph, inputs: Readonly<Record<string, Float32Array | Uint8Array>>): void {
  for (const [name, node] of graph.inputs) {
    const data = inputs[name];
    if (!data) throw new RangeError(`the graph needs an input ${name}`);
    if (data.length !== elementCount(node.shape)) {
      throw new RangeError(`input ${name} has ${data.length} values, expected [${node.shape}]`);
    }
    if (data instanceof Uint8Array !== (node.type === 'uint8')) {
      throw new RangeError(`input ${name} is of another type, expected ${node.type}`);
    }
  }
}

/** @throws RangeError when the graph has no such variable, or one of another shape. */
export function checkVariables(graph: Graph, values: ReadonlyMap<string, NamedTensor>): void {
  for (const [name, { shape, data }] of values) {
    const variable = graph.variables.get(name);
    if (!variable) throw new RangeError(`the graph has no variable ${name}`);
    const own = variable.node.shape;
    if (own.join() !== shape.join()) throw new RangeError(`variable ${name} is [${own}], got [${shape}]`);
    if (data.length !== elementCount(shape))
      throw new RangeError(`variable ${name} is [${shape}], got ${data.length} values`);
  }
}
