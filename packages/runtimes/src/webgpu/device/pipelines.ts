/**
 * Compiles the code of passes: each text once, all at the same time.
 * Layouts are explicit, one for each number of bindings: a layout made from the code would leave out what it ignores.
 */
import { RuntimeError } from '../../contract/errors.js';
import type { Kernel } from '../kernels/kernel.js';

export interface Pipelines {
  pipeline(kernel: Kernel): GPUComputePipeline;
  layout(kernel: Kernel): GPUBindGroupLayout;
}

const computeStage = 0x4;

/** @throws RuntimeError (`shader`) with the compiler's words when code does not compile. */
export async function compilePipelines(device: GPUDevice, kernels: readonly Kernel[]): Promise<Pipelines> {
  const layouts = new Map<number, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  const layoutOf = (count: number): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } => {
    const known = layouts.get(count);
    if (known) return known;
    const group = device.createBindGroupLayout({
      entries: Array.from({ length: count }, (_, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type: 'storage' as const },
      })),
    });
    const made = { group, pipeline: device.createPipelineLayout({ bindGroupLayouts: [group] }) };
    layouts.set(count, made);
    return made;
  };
  const pending = new Map<string, Promise<GPUComputePipeline>>();
  for (const { code, label, bindings } of kernels) {
    if (pending.has(code)) continue;
    const layout = layoutOf(bindings.length).pipeline;
    const made = compile(device, { code, label, layout });
    // All are waited for below; until then a failure must not count as unhandled.
    made.catch(() => {});
    pending.set(code, made);
  }
  const pipelines = new Map<string, GPUComputePipeline>();
  for (const [code, promise] of pending) pipelines.set(code, await promise);
  return {
    pipeline: ({ code }) => pipelines.get(code) as GPUComputePipeline,
    layout: ({ bindings }) => layoutOf(bindings.length).group,
  };
}

async function compile(
  device: GPUDevice,
  { code, label, layout }: { code: string; label: string; layout: GPUPipelineLayout },
): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ code, label });
  try {
    return await device.createComputePipelineAsync({ label, layout, compute: { module, entryPoint: 'main' } });
  } catch (cause) {
    const { messages } = await module.getCompilationInfo();
    const faults = messages
      .filter(({ type }) => type === 'error')
      .map(({ lineNum, message }) => `${lineNum}: ${message}`);
    const text = faults.join('; ') || (cause instanceof Error ? cause.message : String(cause));
    throw new RuntimeError(
      `the pass ${label} does not compile: ${text}`,
      { runtime: 'webgpu', reason: 'shader', code },
      { cause },
    );
  }
}
