/**
 * What a compute pass is, and how WGSL reaches tensors: the contract between kernels (one file each) and the rest.
 *
 * A kernel is written for its shapes: every size is a literal in its code. It reads and writes tensors through accessor
 * functions that `Shader` declares, never through bindings, so that a tensor stored in several pieces (above the
 * adapter's binding limit) or in float16 looks to it like any other: `x(i)` gives a value, `y_set(i, v)` stores one.
 *
 * Layouts. `plain`: C-ordered floats, counted in f32. `blocked`: images [N, C, D, H, W] as [N, ceil(C/4), D, H, W] of
 * vec4f, counted in vec4; channels beyond C hold zeros, and whoever writes a blocked tensor writes them.
 */
import type { Shape } from '@quickcolumn/graph';

export type Layout = 'plain' | 'blocked';
/** How elements are stored; kernels always compute with f32 (labels: u32). */
export type Storage = 'f32' | 'f16' | 'u8';

export interface GpuTensor {
  readonly shape: Shape;
  readonly layout: Layout;
  readonly storage: Storage;
  /** Elements (not vec4) of each consecutive piece, multiples of 4; one piece unless the binding limit forces more. */
  readonly parts: readonly number[];
}

export interface Binding {
  readonly tensor: GpuTensor;
  readonly part: number;
  readonly access: 'read' | 'write' | 'read_write';
}

/** One compute pass. Binding i of the code (group 0) is `bindings[i]`. */
export interface Kernel {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [number, number, number];
}

/** What kernels may know of the adapter. */
export interface KernelLimits {
  readonly maxStorageBuffersPerShaderStage: number;
  /** Bytes that one binding may have: larger tensors are in parts. */
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly f16: boolean;
}

/** What a kernel generator gets beside its tensors. */
export interface KernelContext {
  readonly limits: KernelLimits;
  /** True where a processor plays graphics card (`GpuDevice.software`). */
  readonly software?: boolean;
  /** A tensor that lives only within the passes of this operation (packed weights, partial sums). */
  readonly scratch: (shape: Shape, layout: Layout) => GpuTensor;
}

/** Tensor elements in one element of a buffer of this WGSL type. */
export const elementsOf = (type: string): number => (type === 'u32' || type.startsWith('vec4') ? 4 : 1);
