/**
 * The `onednn` runtime: graphs run as oneDNN primitives on a worker thread, so that the event loop, the progress line
 * and Ctrl-C stay alive. Weights, moments and statistics are float32 in either precision.
 */
import { availableParallelism } from 'node:os';
import type { Graph } from '@quickcolumn/graph';
import { checkInputs, checkVariables } from '../contract/data-checks.js';
import { checkPrecision } from '../contract/precision.js';
import { RunState } from '../contract/run-state.js';
import type { CompileOptions, Executable, Precision, Runtime } from '../contract/runtime.js';
import { loadKoffi } from '../native.js';
import { ask } from './thread/client.js';
import type { Inputs, PlainGraph, StepTime } from './thread/messages.js';

export interface OneDnnExecutable extends Executable {
  /** Steps that run on the library's plain loops, a hundred times slower than the others; normally none. */
  readonly slow: readonly string[];
  /** Runs once with a clock around each step. */
  profile(inputs: Inputs): Promise<readonly StepTime[]>;
}

export interface OneDnnRuntime extends Runtime {
  /** File of the library. */
  readonly path: string;
  compile(graph: Graph, options?: OneDnnCompileOptions): Promise<OneDnnExecutable>;
}

interface OneDnnCompileOptions extends CompileOptions {
  /** Tensors of at most so many elements are computed in TypeScript; tests set 0. */
  readonly smallElements?: number;
}

const plainGraph = ({ nodes, inputs, variables, outputs, assignments }: Graph): PlainGraph => ({
  nodes,
  inputs,
  variables,
  outputs,
  assignments,
});

/** @throws RuntimeError when koffi or oneDNN is not there, or it is too old; the message says how to install it. */
export async function openOneDnn(): Promise<OneDnnRuntime> {
  await loadKoffi('onednn');
  const { version, path, instructions, bfloat16 } = await ask('probe', {});
  const precisions: readonly Precision[] = bfloat16 ? ['float32', 'bfloat16'] : ['float32'];
  const precision = bfloat16 ? 'bfloat16' : 'float32';
  return {
    name: 'onednn',
    version,
    path,
    instructions: `isa ${instructions}`,
    precision,
    precisions,
    memory: 'host',
    // Two windows at once are at most 5 % faster than one after the other, and take half as much memory again.
    windowsAtOnce: 1,
    async compile(graph, options = {}) {
      checkPrecision({ name: 'onednn', precisions }, options.precision);
      return await compile(graph, { precision, ...options });
    },
  };
}

async function compile(graph: Graph, options: OneDnnCompileOptions): Promise<OneDnnExecutable> {
  const { id, bytes, slow } = await ask('compile', {
    graph: plainGraph(graph),
    options: {
      bfloat16: options.precision === 'bfloat16',
      threads: options.threads ?? availableParallelism(),
      smallElements: options.smallElements ?? 4096,
    },
  });
  const state = new RunState();
  return {
    bytes,
    slow,
    async run(inputs) {
      checkInputs(graph, inputs);
      return state.run(() => ask('run', { id, inputs }));
    },
    async profile(inputs) {
      checkInputs(graph, inputs);
      return state.run(() => ask('profile', { id, inputs }));
    },
    readVariables: () => ask('read', { id }),
    async writeVariables(values) {
      checkVariables(graph, values);
      await ask('write', { id, values });
    },
    async dispose() {
      if (state.dispose()) await ask('dispose', { id });
    },
  };
}
