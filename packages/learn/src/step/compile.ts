/** What every compiled step takes from its configuration alike. */
import { type CompileOptions, openOnnx, type Runtime } from '@quickcolumn/runtimes';
import type { StepConfig } from './step-types.js';

/** Whether a variable keeps its value. */
export function frozenOf({ frozen = [] }: StepConfig): (name: string) => boolean {
  const names = new Set(frozen);
  return (name) => names.has(name);
}

export async function runtimeOf({ device }: StepConfig): Promise<Runtime> {
  return device?.runtime ?? (await openOnnx());
}

export function compileOptions({ threads, device }: StepConfig): CompileOptions {
  return {
    ...(threads === undefined ? {} : { threads }),
    ...(device === undefined ? {} : { precision: device.precision }),
  };
}
