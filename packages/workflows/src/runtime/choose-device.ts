/** The runtime that a job computes with, told to whoever asked for the job. */
import { chooseRuntime, type Runtime, type RuntimeChoice, type Work } from '@quickcolumn/runtimes';
import type { JobContext } from '../context.js';
import type { ComputeRequest, ThreadedCompute } from '../jobs/parts.js';
import { measuredKernels } from './measured-kernels.js';
import { measuredPrecisions } from './measured-precisions.js';

/** What of it was given, to lay over a configuration. */
export function givenRequest({ runtime, precision, autotune }: ComputeRequest): ComputeRequest {
  return { ...(runtime && { runtime }), ...(precision && { precision }), ...(autotune && { autotune }) };
}

export interface DeviceRequest extends ThreadedCompute {
  /** Where precisions are measured, what this job mostly does. */
  readonly work: Work;
}

/** @throws RuntimeError when what was asked for by name is not there; `interrupted` */
export async function chooseDevice(
  { runtime, precision, autotune, threads, work }: DeviceRequest,
  context: JobContext,
): Promise<RuntimeChoice> {
  const tiles = autotune ? { tiles: measuredKernels(context) } : {};
  const measured = { work, speedsOf: (opened: Runtime) => measuredPrecisions(opened, context, { threads }) };
  const device = await chooseRuntime({ runtime, precision, measured, ...tiles });
  context.note(device.reason);
  if (autotune && !device.provider.measuresKernels) {
    context.note('no kernels are measured: only those of graphics cards are (runtime webgpu)');
  }
  return device;
}
