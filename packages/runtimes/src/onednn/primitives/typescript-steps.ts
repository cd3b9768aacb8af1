/**
 * Work done in TypeScript over the same memory: vectors with a value a channel, scalars, one-hot labels. A call into
 * the library would cost more than these do. Operations without a loop of their own here use the graph's float64
 * evaluation, which is right for every operation and fast enough for what is small.
 */
import { elementCount, evaluateNode, type GraphNode, type OperationName, type OperationNode } from '@quickcolumn/graph';
import type { Context, ElementwiseNode } from './context.js';
import type { Place, Tensor } from '../program/program.js';

type Loop<Op extends OperationName> = (
  out: Float32Array,
  inputs: readonly Float32Array[],
  node: OperationNode<Op>,
) => void;

const unary =
  (f: (x: number) => number): Loop<OperationName> =>
  (out, [a]) => {
    for (let i = 0; i < out.length; i++) out[i] = f(a[i]);
  };
const binary =
  (f: (x: number, y: number) => number): Loop<OperationName> =>
  (out, [a, b]) => {
    for (let i = 0; i < out.length; i++) out[i] = f(a[i], b[i]);
  };

const loops: { readonly [Op in OperationName]?: Loop<Op> } = {
  add: binary((x, y) => x + y),
  sub: binary((x, y) => x - y),
  mul: binary((x, y) => x * y),
  div: binary((x, y) => x / y),
  sqrt: unary(Math.sqrt),
  affine: (out, [a], { attributes }) => {
    const { scale, offset } = attributes;
    for (let i = 0; i < out.length; i++) out[i] = scale * a[i] + offset;
  },
  scale: (out, [a, s]) => {
    for (let i = 0; i < out.length; i++) out[i] = a[i] * s[0];
  },
};
const elementByElement = new Set(Object.keys(loops));

/** Lists a step that computes the node in TypeScript, from flat inputs to a flat result. */
export function addHostNode(context: Context, node: ElementwiseNode | OperationNode<'sum'>): void {
  const inputs = node.inputs.map((input) => context.flat(input));
  const result = context.program.tensor(node.shape, 'flat');
  context.set(node, result);
  const inPlace = elementByElement.has(node.op) ? inputs.find(({ bytes }) => bytes === result.bytes) : undefined;
  addHost(context, node.op, {
    inputs,
    results: [result],
    ...(inPlace ? { inPlace: [result, inPlace] as const } : {}),
    bind: (place) => {
      const out = place.floats(result);
      const loop = loops[node.op] as Loop<OperationName> | undefined;
      const views = inputs.map((tensor) => (tensor.type === 'uint8' ? place.bytes(tensor) : place.floats(tensor)));
      if (loop) return () => loop(out, views as Float32Array[], node);
      return () => {
        const tensors = views.map((view, i) => ({ shape: node.inputs[i].shape, data: Float64Array.from(view) }));
        out.set(evaluateNode(node, tensors));
      };
    },
  });
}

export function addHost(
  context: Context,
  op: string,
  step: {
    inputs: readonly Tensor[];
    results: readonly Tensor[];
    inPlace?: readonly [Tensor, Tensor];
    bind: (place: Place) => () => void;
  },
): void {
  context.program.add({
    label: `${op} host`,
    op,
    flop: 0,
    reads: step.inputs,
    writes: step.results,
    ...(step.inPlace ? { inPlace: step.inPlace } : {}),
    scratchBytes: 0,
    bind: step.bind,
  });
}

/** [N, …] class indices as uint8 → [N, classes, …] of 0 and 1; an index that is no class stays 0 everywhere. */
export function addOneHot(context: Context, node: OperationNode<'oneHot'>): void {
  const labels = context.home(node.inputs[0]);
  const result = context.produce(node);
  const [samples, classes] = node.shape;
  const voxels = elementCount(node.shape) / (samples * classes);
  addHost(context, 'oneHot', {
    inputs: [labels],
    results: [result],
    bind: (place) => {
      const from = place.bytes(labels);
      const to = place.floats(result);
      return () => {
        to.fill(0);
        for (let n = 0; n < samples; n++) {
          const base = n * classes * voxels;
          for (let v = 0; v < voxels; v++) {
            const label = from[n * voxels + v];
            if (label < classes) to[base + label * voxels + v] = 1;
          }
        }
      };
    },
  });
}

/** A constant, or one value per sample and channel, written out. */
export function addFill(context: Context, node: Extract<GraphNode, { op: 'constant' | 'spatialExpand' }>): void {
  const result = context.produce(node);
  if (node.op === 'constant') {
    const { value } = node.attributes;
    addHost(context, 'constant', {
      inputs: [],
      results: [result],
      bind: (place) => {
        const to = place.floats(result);
        return () => to.fill(value);
      },
    });
    return;
  }
  const rows = context.flat(node.inputs[0]);
  addHost(context, 'spatialExpand', {
    inputs: [rows],
    results: [result],
    bind: (place) => {
      const from = place.floats(rows);
      const to = place.floats(result);
      const voxels = to.length / from.length;
      return () => {
        for (let row = 0; row < from.length; row++) to.fill(from[row], row * voxels, (row + 1) * voxels);
      };
    },
  });
}
