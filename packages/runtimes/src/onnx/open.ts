/** Opens the `onnx` runtime in Node: onnxruntime-node, on all cores. */
import { availableParallelism } from 'node:os';
import { RuntimeError } from '../contract/errors.js';
import type { Runtime } from '../contract/runtime.js';
import { onnxRuntimeOver } from './ort-runtime.js';

/** Loads the library with the first call. @throws RuntimeError when it does not load */
export async function openOnnx(): Promise<Runtime> {
  const ort = await load();
  return onnxRuntimeOver({
    ort,
    version: ort.env.versions.node ?? ort.env.versions.common,
    threads: availableParallelism(),
    fillsOutputs: true,
  });
}

async function load(): Promise<typeof import('onnxruntime-node')> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    const text = `onnxruntime-node does not load (${cause instanceof Error ? cause.message : String(cause)})`;
    throw new RuntimeError(text, { runtime: 'onnx', reason: 'no-package' }, { cause });
  }
}
