/**
 * ONNX files that others wrote, executed by ONNX Runtime with their own operators and whatever opset it reads. What it
 * refuses, and why, is its own message. Nothing of the file is checked here: who opens it knows what it must be.
 */
import { RuntimeError } from '../contract/errors.js';
import { checkPrecision } from '../contract/precision.js';
import { RunState } from '../contract/run-state.js';
import type { OpenModelOptions, ModelSession, NamedTensor } from '../contract/runtime.js';
import { createSession, type OrtHost, type OrtSession } from './ort-session.js';

/** @throws RuntimeError with the library's own message where it refuses the file */
export async function openModel(
  host: OrtHost,
  bytes: Uint8Array,
  options: OpenModelOptions = {},
): Promise<ModelSession> {
  checkPrecision({ name: 'onnx', precisions: ['float32'] }, options.precision);
  const failure = (what: string, cause: unknown): RuntimeError =>
    new RuntimeError(`ONNX Runtime ${host.version} ${what}: ${messageOf(cause)}`, { runtime: 'onnx' }, { cause });
  let session: OrtSession;
  try {
    session = await createSession(host, bytes, options);
  } catch (cause) {
    throw failure('does not open the model', cause);
  }
  const state = new RunState();
  return {
    async run(inputs, outputs) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, { data, shape }]) => [name, new host.ort.Tensor('float32', data, shape)]),
      );
      const fetches = Object.fromEntries(outputs.map((name) => [name, null]));
      const results = await state.run(async () => {
        try {
          return await session.run(feeds, fetches);
        } catch (cause) {
          throw failure('fails in the model', cause);
        }
      });
      return Object.fromEntries(
        outputs.map((name): [string, NamedTensor] => {
          const { data, dims } = results[name];
          if (data instanceof Float32Array) return [name, { shape: dims, data }];
          throw new RuntimeError(`the model's output ${name} is not float32`, { runtime: 'onnx' });
        }),
      );
    },
    async dispose() {
      if (state.dispose()) await session.release();
    },
  };
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
