/**
 * The `onnx` runtime over any build of ONNX Runtime: onnxruntime-node (open.ts) or, in browsers, onnxruntime-web, which
 * have one interface. It executes the lowered graph, training step included.
 *
 * Variables live in two sets of buffers: a run reads one set and writes the other, then they change places, so
 * nothing is copied and nothing is read after it was overwritten.
 */
import { elementCount, type Graph, plan } from '@quickcolumn/graph';
import { checkInputs, checkVariables } from '../contract/data-checks.js';
import { checkPrecision } from '../contract/precision.js';
import type { CompileOptions, Executable, NamedTensor, Runtime } from '../contract/runtime.js';
import { RunState } from '../contract/run-state.js';
import { lowerToOnnx, nextSuffix } from './lower.js';
import { openModel } from './model-session.js';
import { createSession, type OrtHost, type OrtTensor } from './ort-session.js';
import { encodeModel } from './proto.js';

export const onnxOpset = 17;

interface Slot {
  readonly shape: readonly number[];
  current: OrtTensor;
  /** Only assigned variables need a second buffer. */
  spare?: OrtTensor;
}

const precisions = ['float32'] as const;

/** The `onnx` runtime on this build. */
export function onnxRuntimeOver(host: OrtHost): Runtime {
  return {
    name: 'onnx',
    version: host.version,
    precision: 'float32',
    precisions,
    memory: 'host',
    // Two windows at once take twice the time of one, and more memory.
    windowsAtOnce: 1,
    compile: (graph, options) => compile(host, graph, options),
    openModel: (bytes, options) => openModel(host, bytes, options),
  };
}

/**
 * What a session holds beside the tensors of the graph, none of which depends on the number of threads (measured with
 * onnxruntime-node 1.2x on training steps of 0.2 to 1.6 GB, 1 to 16 threads; see the test).
 */
const overhead = {
  /** Its arena gives out blocks of fixed sizes, and those that are free do not fit whatever comes next. */
  arenaFactor: 1.2,
  /** Nodes with their kernels and names, before and after they were optimised. */
  bytesPerNode: 22_000,
} as const;

/** Bytes of the host's memory that a session takes, its variables included. */
function sessionBytes(graph: Graph, nodes: number): number {
  const { peakBytes, variableBytes } = plan(graph);
  // Gradients, flipped weights and next values of the whole network wait for one another: ONNX Runtime orders by itself.
  let waitingBytes = 0;
  for (const node of graph.assignments.values()) waitingBytes += 4 * elementCount(node.shape);
  return overhead.arenaFactor * peakBytes + variableBytes + waitingBytes + overhead.bytesPerNode * nodes;
}

async function compile(host: OrtHost, graph: Graph, options: CompileOptions = {}): Promise<Executable> {
  const { ort } = host;
  checkPrecision({ name: 'onnx', precisions }, options.precision);
  const tensorOf = (shape: readonly number[]): OrtTensor =>
    new ort.Tensor('float32', new Float32Array(elementCount(shape)), shape);
  const inputTensor = (data: Float32Array | Uint8Array, shape: readonly number[]): OrtTensor =>
    data instanceof Uint8Array ? new ort.Tensor('uint8', data, shape) : new ort.Tensor('float32', data, shape);
  const lowered = lowerToOnnx(graph);
  const session = await createSession(host, encodeModel({ graph: lowered, opset: onnxOpset }), options);
  const slots = new Map<string, Slot>();
  for (const [name, { node, initializer }] of graph.variables) {
    const slot: Slot = { shape: node.shape, current: tensorOf(node.shape) };
    if (initializer.kind === 'constant') (slot.current.data as Float32Array).fill(initializer.value);
    if (graph.assignments.has(name)) slot.spare = tensorOf(node.shape);
    slots.set(name, slot);
  }
  const used = new Set(session.inputNames);
  const bytes = sessionBytes(graph, lowered.nodes.length);
  const state = new RunState();

  return {
    bytes,
    async run(inputs) {
      checkInputs(graph, inputs);
      const feeds: Record<string, OrtTensor> = {};
      for (const [name, node] of graph.inputs) if (used.has(name)) feeds[name] = inputTensor(inputs[name], node.shape);
      const fetches: Record<string, OrtTensor | null> = {};
      for (const [name, slot] of slots) {
        if (used.has(name)) feeds[name] = slot.current;
        if (slot.spare) fetches[name + nextSuffix] = host.fillsOutputs ? slot.spare : null;
      }
      for (const name of graph.outputs.keys()) fetches[name] = null;
      const results = await state.run(() => session.run(feeds, fetches));
      for (const [name, slot] of slots) {
        if (slot.spare) [slot.current, slot.spare] = [results[name + nextSuffix], slot.current];
      }
      const outputs: Record<string, Float32Array> = {};
      for (const name of graph.outputs.keys()) outputs[name] = results[name].data as Float32Array;
      return outputs;
    },
    async readVariables() {
      const copies = new Map<string, NamedTensor>();
      for (const [name, { shape, current }] of slots)
        copies.set(name, { shape, data: (current.data as Float32Array).slice() });
      return copies;
    },
    async writeVariables(values) {
      checkVariables(graph, values);
      for (const [name, { data }] of values) {
        const slot = slots.get(name);
        if (slot) (slot.current.data as Float32Array).set(data);
      }
    },
    async dispose() {
      if (!state.dispose()) return;
      slots.clear();
      await session.release();
    },
  };
}
