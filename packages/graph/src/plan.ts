/**
 * The buffer plan: when each tensor lives, and how many bytes a run holds at its worst, before anything is allocated.
 *
 * Nodes run in graph order; a tensor lives from its node to its last reader. Elementwise results may take over the
 * buffer of an input that dies there, as every runtime does.
 */
import { type Graph, liveNodes } from './graph.js';
import { elementCount, type GraphNode } from './node.js';

export interface BufferPlan {
  /** Most bytes of intermediate tensors alive at one time. */
  readonly peakBytes: number;
  /** Bytes of the variables; the values that a run assigns to them are among the intermediate tensors. */
  readonly variableBytes: number;
  /** Node ids that die after each node, by position in `order`. */
  readonly order: readonly GraphNode[];
  readonly dies: readonly (readonly number[])[];
}

const inPlace: ReadonlySet<GraphNode['op']> = new Set<GraphNode['op']>([
  'add', 'sub', 'mul', 'div', 'affine', 'scale', 'relu', 'reluGradient', 'leakyRelu', 'leakyReluGradient', 'addChannel',
  'batchNorm', 'channelCombine', 'exp', 'log', 'sqrt', 'sigmoid', 'spatialScale', 'logSoftmaxGradient',
]); // biome-ignore format: a list

export function bytesOf(node: GraphNode): number {
  return elementCount(node.shape) * (node.type === 'uint8' ? 1 : 4);
}

export function plan(graph: Graph): BufferPlan {
  const order = liveNodes(graph);
  const last = new Map<number, number>();
  order.forEach((node, position) => {
    last.set(node.id, position);
    for (const input of node.inputs) last.set(input.id, position);
  });
  for (const kept of [...graph.outputs.values(), ...graph.assignments.values()]) last.set(kept.id, order.length);
  const dies: number[][] = order.map(() => []);
  let live = 0;
  let peak = 0;
  const bufferBytes = new Map<number, number>();
  order.forEach((node, position) => {
    const fresh = node.op === 'variable' ? 0 : bytesOf(node);
    const dying = node.inputs.filter((input, i) => last.get(input.id) === position && node.inputs.indexOf(input) === i);
    const reused = inPlace.has(node.op) ? dying.find((input) => (bufferBytes.get(input.id) ?? 0) >= fresh) : undefined;
    bufferBytes.set(node.id, fresh);
    live += fresh;
    if (reused) {
      live -= bufferBytes.get(reused.id) ?? 0;
      bufferBytes.set(reused.id, 0);
    }
    peak = Math.max(peak, live);
    for (const input of dying) {
      live -= bufferBytes.get(input.id) ?? 0;
      bufferBytes.delete(input.id);
      dies[position].push(input.id);
    }
  });
  const variables = [...graph.variables.values()].reduce((bytes, { node }) => bytes + bytesOf(node), 0);
  return { peakBytes: peak, variableBytes: variables, order, dies };
}
