/**
 * The thread that owns oneDNN: compiles graphs, runs them, and answers one request after the other. A crash of the
 * library ends the process; a training then resumes from its checkpoint.
 */
import { parentPort } from 'node:worker_threads';
import { errorToJson } from '@quickcolumn/errors';
import type { Graph } from '@quickcolumn/graph';
import { RuntimeError } from '../../contract/errors.js';
import type { NamedTensor } from '../../contract/runtime.js';
import { type LoadedLibrary, loadLibrary } from '../library/library.js';
import type { LowerOptions } from '../primitives/context.js';
import { lowerToOneDnn, type LoweredProgram } from '../primitives/lower.js';
import type { Inputs, Reply, Request, RequestKind, Requests } from './messages.js';
import type { BoundProgram, Program } from '../program/program.js';
import { touchedScratch } from '../program/scratch.js';

interface Compiled {
  readonly lowered: LoweredProgram;
  readonly bound: BoundProgram;
  readonly threads: number;
}

const port = parentPort;
if (!port) throw new Error('this module runs only as the worker thread of the onednn runtime');

let library: LoadedLibrary | undefined;
let threadsNow = 0;
let nextId = 1;
const compiled = new Map<number, Compiled>();

const opened = (): LoadedLibrary => (library ??= loadLibrary());

function useThreads(threads: number): void {
  if (threads !== threadsNow) opened().setThreads(threads);
  threadsNow = threads;
}

function feed({ lowered, bound, threads }: Compiled, inputs: Inputs): void {
  useThreads(threads);
  for (const [name, tensor] of lowered.inputs) {
    const data = inputs[name];
    if (data instanceof Uint8Array) bound.bytesView(tensor).set(data);
    else bound.floats(tensor).set(data);
  }
}

const find = (id: number): Compiled => {
  const found = compiled.get(id);
  if (!found) throw new RuntimeError(`onednn: there is no executable ${id}`);
  return found;
};

/** Bytes of scratch memory that a run touches. What one thread asks for tells what all of them share. */
function scratchBytes(program: Program, graph: Graph, options: LowerOptions & { readonly threads: number }): number {
  const { threads } = options;
  const most = program.steps.reduce((bytes, step) => Math.max(bytes, step.scratchBytes), 0);
  if (threads === 1 || most < smallScratchBytes) return most;
  useThreads(1);
  const single = lowerToOneDnn(graph, opened(), options).program;
  try {
    const requests = program.steps.map(({ label, op, writes, scratchBytes: bytes }, index) => {
      const same = single.steps[index]?.label === label;
      const sumBytes = op === 'conv3dWeightGradient' ? writes.reduce((sum, tensor) => sum + tensor.bytes, 0) : 0;
      return { bytes, singleBytes: same ? single.steps[index].scratchBytes : bytes, sumBytes };
    });
    return touchedScratch(requests, threads);
  } finally {
    single.discard();
    useThreads(threads);
  }
}

/** Not worth another look. */
const smallScratchBytes = 32 << 20;

const handlers: { [K in RequestKind]: (ask: Requests[K]['ask']) => Requests[K]['answer'] } = {
  probe: () => {
    const { version, path, instructions, bfloat16 } = opened();
    return { version, path, instructions, bfloat16 };
  },
  compile: ({ graph, options }) => {
    useThreads(options.threads);
    const native = opened();
    try {
      const lowered = lowerToOneDnn(graph as Graph, native, options);
      const bound = lowered.program.bind();
      lowered.fillConstants((tensor) => bound.floats(tensor));
      for (const [name, tensor] of lowered.variables) {
        const { initializer } = graph.variables.get(name) ?? {};
        if (initializer?.kind === 'constant') bound.floats(tensor).fill(initializer.value);
      }
      const id = nextId++;
      compiled.set(id, { lowered, bound, threads: options.threads });
      const bytes = bound.bytes + scratchBytes(lowered.program, graph as Graph, options);
      return { id, bytes, slow: lowered.program.slow };
    } finally {
      native.releaseDescriptors();
    }
  },
  run: ({ id, inputs }) => {
    const one = find(id);
    feed(one, inputs);
    return one.bound.run(() => {
      const outputs: Record<string, Float32Array> = {};
      for (const [name, tensor] of one.lowered.outputs) outputs[name] = one.bound.floats(tensor).slice();
      return outputs;
    });
  },
  profile: ({ id, inputs }) => {
    const one = find(id);
    feed(one, inputs);
    return one.bound.profile();
  },
  read: ({ id }) => {
    const { lowered, bound } = find(id);
    const values = new Map<string, NamedTensor>();
    for (const [name, tensor] of lowered.variables)
      values.set(name, { shape: tensor.shape, data: bound.floats(tensor).slice() });
    return values;
  },
  write: ({ id, values }) => {
    const { lowered, bound } = find(id);
    for (const [name, { data }] of values) {
      const tensor = lowered.variables.get(name);
      if (tensor) bound.floats(tensor).set(data);
    }
    bound.refresh();
    return null;
  },
  dispose: ({ id }) => {
    find(id).bound.dispose();
    compiled.delete(id);
    return null;
  },
};

/** Buffers made for the answer, which go over instead of being copied. */
function transfers(answer: unknown): ArrayBuffer[] {
  const values =
    answer instanceof Map ? [...answer.values()].map(({ data }) => data as unknown) : Object.values(answer ?? {});
  return values.filter((value) => value instanceof Float32Array).map(({ buffer }) => buffer as ArrayBuffer);
}

port.on('message', ({ number, kind, ask }: Request) => {
  try {
    const answer = (handlers[kind] as (ask: unknown) => unknown)(ask);
    port.postMessage({ number, answer } satisfies Reply, transfers(answer));
  } catch (cause) {
    port.postMessage({ number, error: errorToJson(cause) } satisfies Reply);
  }
});
