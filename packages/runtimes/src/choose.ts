/**
 * Which runtime executes a graph on this machine: the one asked for, or the fastest that is there.
 * A choice always says why, so that a missing library is seen and not felt as slowness.
 */
import { RuntimeError } from './errors.js';
import { openOneDnn } from './onednn/runtime.js';
import { onnxRuntime } from './onnx/runtime.js';
import type { Precision, Runtime } from './runtime.js';

export const runtimeNames: readonly ['auto', 'onednn', 'onnx'] = ['auto', 'onednn', 'onnx'];
export type RuntimeName = (typeof runtimeNames)[number];
export const precisionNames: readonly ['auto', 'float32', 'bfloat16'] = ['auto', 'float32', 'bfloat16'];
export type PrecisionName = (typeof precisionNames)[number];

export interface RuntimeRequest {
  readonly runtime?: RuntimeName;
  readonly precision?: PrecisionName;
}

export interface RuntimeChoice {
  readonly runtime: Runtime;
  readonly precision: Precision;
  /** One line for people: runtime, version, precision, and why it is this one. */
  readonly reason: string;
}

/**
 * @throws RuntimeError when the runtime or the precision that was asked for by name is not there; with `auto` a
 *   missing oneDNN is a reason, not an error.
 */
export async function chooseRuntime({
  runtime = 'auto',
  precision = 'auto',
}: RuntimeRequest = {}): Promise<RuntimeChoice> {
  if (runtime === 'onnx') return chosen(onnxRuntime, precision, 'as asked');
  if (runtime === 'onednn') return chosen(await openOneDnn(), precision, 'as asked');
  try {
    return chosen(await openOneDnn(), precision, 'the fastest here');
  } catch (error) {
    if (!(error instanceof RuntimeError) || precision === 'bfloat16') throw error;
    return chosen(onnxRuntime, precision, error.message);
  }
}

function chosen(runtime: Runtime, wanted: PrecisionName, why: string): RuntimeChoice {
  const precision = wanted === 'auto' ? runtime.precision : wanted;
  if (precision === 'bfloat16' && runtime.precision !== 'bfloat16') {
    throw new RuntimeError(
      `${runtime.name} does not compute in bfloat16 on this machine; use --precision float32 or auto`,
      { runtime: runtime.name, precision },
    );
  }
  return { runtime, precision, reason: `runtime ${runtime.name} ${runtime.version}, ${precision} (${why})` };
}
