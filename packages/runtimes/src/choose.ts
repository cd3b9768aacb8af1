/**
 * Which runtime executes a graph on this machine: the one asked for, or the fastest that is there.
 * A choice always says why, so that a missing library is seen and not felt as slowness.
 */
import { RuntimeError } from './errors.js';
import { openOneDnn } from './onednn/runtime.js';
import { onnxRuntime } from './onnx/runtime.js';
import type { Precision, Runtime } from './runtime.js';
import { findWebGpu, openWebGpu } from './webgpu/open.js';
import type { WebGpuOptions } from './webgpu/runtime.js';

export const runtimeNames: readonly ['auto', 'webgpu', 'onednn', 'onnx'] = ['auto', 'webgpu', 'onednn', 'onnx'];
export type RuntimeName = (typeof runtimeNames)[number];
export const precisionNames: readonly ['auto', 'float32', 'bfloat16', 'float16'] = [
  'auto',
  'float32',
  'bfloat16',
  'float16',
];
export type PrecisionName = (typeof precisionNames)[number];

export interface RuntimeRequest {
  readonly runtime?: RuntimeName;
  readonly precision?: PrecisionName;
  /** For the webgpu runtime: where measured tiles are kept; without it nothing is measured. */
  readonly tiles?: WebGpuOptions['tiles'];
}

export interface RuntimeChoice {
  readonly runtime: Runtime;
  readonly precision: Precision;
  /** One line for people: runtime, version, precision, and why it is this one. */
  readonly reason: string;
}

/**
 * With `auto`: a graphics card, if it is a real one and computes in the precision that was asked for; then oneDNN; then
 * ONNX Runtime.
 * @throws RuntimeError when the runtime or the precision that was asked for by name is not there; with `auto` what is
 *   missing is a reason, not an error.
 */
export async function chooseRuntime({
  runtime = 'auto',
  precision = 'auto',
  tiles,
}: RuntimeRequest = {}): Promise<RuntimeChoice> {
  const webGpu = tiles ? { tiles } : {};
  if (runtime === 'onnx') return chosen(onnxRuntime, precision, 'as asked');
  if (runtime === 'onednn') return chosen(await openOneDnn(), precision, 'as asked');
  if (runtime === 'webgpu' || precision === 'float16') return chosen(await openWebGpu(webGpu), precision, 'as asked');
  const card = precision === 'bfloat16' ? 'no bfloat16 on graphics cards' : await usableCard(webGpu);
  if (typeof card !== 'string') return chosen(card, precision, 'a graphics card');
  try {
    return chosen(await openOneDnn(), precision, `the fastest here; webgpu: ${card}`);
  } catch (error) {
    if (!(error instanceof RuntimeError) || precision === 'bfloat16') throw error;
    return chosen(onnxRuntime, precision, `${error.message}; webgpu: ${card}`);
  }
}

/** The webgpu runtime where a real graphics card is, or why it is not used. */
async function usableCard(options: WebGpuOptions): Promise<Runtime | string> {
  try {
    const { software, name } = await findWebGpu();
    return software ? `${name} is no graphics card` : await openWebGpu(options);
  } catch (error) {
    if (error instanceof RuntimeError) return error.message;
    throw error;
  }
}

function chosen(runtime: Runtime, wanted: PrecisionName, why: string): RuntimeChoice {
  const precision = wanted === 'auto' ? runtime.precision : wanted;
  if (!precisionsOf(runtime).includes(precision)) {
    throw new RuntimeError(
      `${runtime.name} does not compute in ${precision} on this machine; use --precision float32 or auto`,
      { runtime: runtime.name, precision },
    );
  }
  return { runtime, precision, reason: `runtime ${runtime.name} ${runtime.version}, ${precision} (${why})` };
}

/** What a runtime computes in, float32 first. */
export function precisionsOf({ precision, morePrecisions = [] }: Runtime): Precision[] {
  return [...new Set<Precision>(['float32', precision, ...morePrecisions])];
}
