/**
 * The `onnx` runtime: ONNX Runtime executes the lowered graph, training step included.
 *
 * Variables live in two sets of buffers: a run reads one set and writes the other, then they change places, so
 * nothing is copied and nothing is read after it was overwritten.
 */
import { elementCount, type Graph, plan } from '@quickcolumn/graph';
import * as ort from 'onnxruntime-node';
import { availableParallelism } from 'node:os';
import { checkInputs, checkVariables, RunState } from '../checks.js';
import { RuntimeError } from '../errors.js';
import type { CompileOptions, Executable, NamedTensor, Runtime } from '../runtime.js';
import { lowerToOnnx, nextSuffix } from './lower.js';
import { encodeModel } from './proto.js';

export const onnxOpset = 17;

interface Slot {
  readonly shape: readonly number[];
  current: ort.Tensor;
  /** Only assigned variables need a second buffer. */
  spare?: ort.Tensor;
}

const tensorOf = (shape: readonly number[]): ort.Tensor =>
  new ort.Tensor('float32', new Float32Array(elementCount(shape)), shape);

async function compile(graph: Graph, options: CompileOptions = {}): Promise<Executable> {
  if (options.precision !== undefined && options.precision !== 'float32') {
    throw new RuntimeError('the onnx runtime computes in float32 only; use --precision float32', { runtime: 'onnx' });
  }
  const model = encodeModel({ graph: lowerToOnnx(graph), opset: onnxOpset });
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: options.threads ?? availableParallelism(),
    graphOptimizationLevel: 'all',
    // One block for everything takes half as much memory again as the arena does, and is no faster.
    enableMemPattern: false,
    logSeverityLevel: 3,
  });
  const slots = new Map<string, Slot>();
  for (const [name, { node, initializer }] of graph.variables) {
    const slot: Slot = { shape: node.shape, current: tensorOf(node.shape) };
    if (initializer.kind === 'constant') (slot.current.data as Float32Array).fill(initializer.value);
    if (graph.assignments.has(name)) slot.spare = tensorOf(node.shape);
    slots.set(name, slot);
  }
  const used = new Set(session.inputNames);
  const { peakBytes, variableBytes } = plan(graph);

  const state = new RunState();

  return {
    bytes: peakBytes + variableBytes,
    async run(inputs) {
      checkInputs(graph, inputs);
      const feeds: Record<string, ort.Tensor> = {};
      for (const [name, node] of graph.inputs)
        if (used.has(name)) feeds[name] = new ort.Tensor(node.type, inputs[name], node.shape);
      const fetches: Record<string, ort.Tensor | null> = {};
      for (const [name, slot] of slots) {
        if (used.has(name)) feeds[name] = slot.current;
        if (slot.spare) fetches[name + nextSuffix] = slot.spare;
      }
      for (const name of graph.outputs.keys()) fetches[name] = null;
      const results = await state.run(() => session.run(feeds, fetches));
      for (const slot of slots.values()) if (slot.spare) [slot.current, slot.spare] = [slot.spare, slot.current];
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

export const onnxRuntime: Runtime = {
  name: 'onnx',
  version: ort.env.versions.node ?? ort.env.versions.common,
  precision: 'float32',
  compile,
};
