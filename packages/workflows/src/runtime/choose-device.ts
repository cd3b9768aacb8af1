/** The runtime that a job computes with, told to whoever asked for the job. */
import { chooseRuntime, type RuntimeChoice } from '@quickcolumn/runtimes';
import type { JobContext } from '../context.js';
import type { ComputeRequest } from '../jobs/parts.js';
import { measuredKernels } from './measured-kernels.js';

/** What of it was given, to lay over a configuration. */
export function givenRequest({ runtime, precision, autotune }: ComputeRequest): ComputeRequest {
  return { ...(runtime && { runtime }), ...(precision && { precision }), ...(autotune && { autotune }) };
}

/** @throws RuntimeError when what was asked for by name is not there. */
export async function chooseDevice(
  { runtime, precision, autotune }: ComputeRequest,
  context: JobContext,
): Promise<RuntimeChoice> {
  const tiles = autotune ? { tiles: measuredKernels(context) } : {};
  const device = await chooseRuntime({ runtime, precision, ...tiles });
  context.note(device.reason);
  if (autotune && !device.provider.measuresKernels) {
    context.note('nothing is measured: only kernels of graphics cards are (runtime webgpu)');
  }
  return device;
}
