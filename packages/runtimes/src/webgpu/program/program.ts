/**
 * A lowered graph on a device: buffers, pipelines and bind groups made once; a run uploads the inputs, encodes the
 * prepared passes, submits once, and reads the outputs back.
 *
 * WebGPU cannot submit a command buffer twice, so passes are encoded anew in every run; that is a few calls a pass.
 * The trap: errors come later and elsewhere. Creation is wrapped in error scopes, and whatever waits for the device
 * also waits for its loss, which would otherwise leave a promise open for ever.
 */
import { elementCount } from '@quickcolumn/graph';
import { RuntimeError } from '../../contract/errors.js';
import { lifetimesOf, partBytes, type Place, placeTensors } from './arena.js';
import type { GpuDevice } from '../device/device.js';
import { type GuardedDevice, guard } from '../device/guard.js';
import type { GpuTensor, Kernel } from '../kernels/kernel.js';
import type { LoweredGraph } from './lower.js';
import { compilePipelines } from '../device/pipelines.js';

/** Flags of the standard, which Node has no globals for. */
const usage = { mapRead: 0x1, copySource: 0x4, copyDestination: 0x8, storage: 0x80 } as const;

interface Pass {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

/** Sizes in bytes, exactly those that are allocated. */
interface MemoryUse {
  /** Buffers of intermediate tensors and inputs, of variables, and of outputs on their way back. */
  readonly arena: readonly number[];
  readonly variables: readonly number[];
  readonly staging: number;
}

export interface Plan {
  readonly memory: MemoryUse;
  readonly bytes: number;
  readonly places: ReadonlyMap<GpuTensor, readonly Place[]>;
  readonly variablePlaces: ReadonlyMap<GpuTensor, readonly Place[]>;
}

/** Labels may end between vec4. */
const bufferSize = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/** Where everything lies and how many bytes the buffers have together; allocates nothing. */
export function planMemory(lowered: LoweredGraph, { maxBufferSize }: { maxBufferSize: number }): Plan {
  const { kernels, inputs, variables, outputs, copies } = lowered;
  const own = new Set(variables.values());
  const lifetimes = lifetimesOf(kernels, {
    inputs: inputs.values(),
    kept: [...outputs.values(), ...copies.map(([from]) => from)],
    elsewhere: own,
  });
  const arena = placeTensors(lifetimes, maxBufferSize);
  const kept = [...own].map((tensor) => ({ tensor, first: 0, last: 0 }));
  const variablePlacement = placeTensors(kept, maxBufferSize);
  const returned = Math.max(
    lowestStaging,
    [...outputs.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0),
    ...[...own].map(tensorBytes),
  );
  const sizes = (buffers: readonly number[]): number[] => buffers.map(bufferSize);
  const memory = {
    arena: sizes(arena.buffers),
    variables: sizes(variablePlacement.buffers),
    staging: bufferSize(returned),
  };
  const bytes = [...memory.arena, ...memory.variables, memory.staging].reduce((a, b) => a + b, 0);
  return { memory, bytes, places: arena.places, variablePlaces: variablePlacement.places };
}

const lowestStaging = 16;
const tensorBytes = (tensor: GpuTensor): number => partBytes(tensor).reduce((a, b) => a + b, 0);

export class Program {
  readonly #guard: GuardedDevice;
  readonly #lowered: LoweredGraph;
  readonly #passes: readonly Pass[];
  readonly #buffers: readonly GPUBuffer[];
  readonly #staging: GPUBuffer;
  readonly #ranges: ReadonlyMap<GpuTensor, readonly Range[]>;

  private constructor(parts: {
    guarded: GuardedDevice;
    lowered: LoweredGraph;
    passes: readonly Pass[];
    buffers: readonly GPUBuffer[];
    staging: GPUBuffer;
    ranges: ReadonlyMap<GpuTensor, readonly Range[]>;
  }) {
    this.#guard = parts.guarded;
    this.#lowered = parts.lowered;
    this.#passes = parts.passes;
    this.#buffers = parts.buffers;
    this.#staging = parts.staging;
    this.#ranges = parts.ranges;
  }

  /** @throws RuntimeError (`memory`, `shader`, `validation`, `device-lost`); nothing stays allocated then. */
  static async create(gpu: GpuDevice, lowered: LoweredGraph, plan: Plan): Promise<Program> {
    const guarded = guard(gpu);
    const { device } = gpu;
    const { memory } = plan;
    const made: GPUBuffer[] = [];
    const create = (size: number, flags: number, label: string): GPUBuffer => {
      const buffer = device.createBuffer({ size, usage: flags, label });
      made.push(buffer);
      return buffer;
    };
    try {
      const flags = usage.storage | usage.copySource | usage.copyDestination;
      const { arena, variables, staging } = await guarded.scoped(`${plan.bytes} bytes of buffers`, () => ({
        arena: memory.arena.map((size, i) => create(size, flags, `arena ${i}`)),
        variables: memory.variables.map((size, i) => create(size, flags, `variables ${i}`)),
        staging: create(memory.staging, usage.mapRead | usage.copyDestination, 'outputs'),
      }));
      const ranges = new Map([...rangesIn(arena, plan.places), ...rangesIn(variables, plan.variablePlaces)]);
      const pipelines = await guarded.waited('compiling', compilePipelines(device, lowered.kernels));
      const bind = (kernel: Kernel): Pass => ({
        pipeline: pipelines.pipeline(kernel),
        workgroups: kernel.workgroups,
        group: device.createBindGroup({
          label: kernel.label,
          layout: pipelines.layout(kernel),
          entries: kernel.bindings.map(({ tensor, part }, binding) => {
            const { buffer, offset, bytes } = rangesOf(ranges, tensor, kernel)[part];
            return { binding, resource: { buffer, offset, size: bytes } };
          }),
        }),
      });
      const passes = await guarded.scoped('binding the buffers', () => lowered.kernels.map(bind));
      return new Program({ guarded, lowered, passes, buffers: [...arena, ...variables], staging, ranges });
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  /** @throws RuntimeError (`device-lost`, `memory`, `validation`). */
  async run(inputs: Readonly<Record<string, Float32Array | Uint8Array>>): Promise<Record<string, Float32Array>> {
    const { outputs, copies } = this.#lowered;
    for (const [name, tensor] of this.#lowered.inputs) if (this.#ranges.has(tensor)) this.#upload(tensor, inputs[name]);
    const { device } = this.#guard;
    const returned: { name: string; tensor: GpuTensor; at: number }[] = [];
    let at = 0;
    const submitted = this.#guard.scoped('running', () => {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (const { pipeline, group, workgroups } of this.#passes) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups);
      }
      pass.end();
      for (const [name, tensor] of outputs) {
        returned.push({ name, tensor, at });
        at = this.#download(encoder, tensor, at);
      }
      for (const [from, to] of copies) this.#copy(encoder, from, to);
      device.queue.submit([encoder.finish()]);
    });
    // Asked for at once, so that one turn of the event loop brings both.
    const [, data] = await Promise.all([submitted, this.#collect('running', at)]);
    return Object.fromEntries(returned.map((one) => [one.name, floatsAt(data, one)]));
  }

  /** A copy of a variable's values. */
  async read(name: string): Promise<Float32Array> {
    const tensor = this.#variable(name);
    const encoder = this.#guard.device.createCommandEncoder();
    const bytes = this.#download(encoder, tensor, 0);
    this.#guard.device.queue.submit([encoder.finish()]);
    return floatsAt(await this.#collect(`reading ${name}`, bytes), { tensor, at: 0 });
  }

  write(name: string, data: Float32Array): void {
    this.#upload(this.#variable(name), data);
  }

  destroy(): void {
    for (const buffer of [...this.#buffers, this.#staging]) buffer.destroy();
  }

  #variable(name: string): GpuTensor {
    const tensor = this.#lowered.variables.get(name);
    if (!tensor) throw new RangeError(`no variable ${name}`);
    return tensor;
  }

  #upload(tensor: GpuTensor, data: Float32Array | Uint8Array): void {
    const { queue } = this.#guard.device;
    const perElement = data.BYTES_PER_ELEMENT;
    let at = 0;
    for (const { buffer, offset, bytes } of this.#ranges.get(tensor) ?? []) {
      const end = Math.min(data.byteLength, at + bytes);
      const whole = at + Math.floor((end - at) / 4) * 4;
      if (whole > at) queue.writeBuffer(buffer, offset, data.buffer, data.byteOffset + at, whole - at);
      // Writes are in multiples of 4 bytes; labels may end between.
      if (end > whole) {
        const tail = new Uint8Array(4);
        tail.set(new Uint8Array(data.buffer, data.byteOffset + whole, end - whole));
        queue.writeBuffer(buffer, offset + whole - at, tail);
      }
      at += bytes;
    }
    if (at < data.length * perElement) throw new RangeError('the data are larger than their tensor');
  }

  /** @returns where the next tensor begins in the staging buffer */
  #download(encoder: GPUCommandEncoder, tensor: GpuTensor, start: number): number {
    let at = start;
    for (const { buffer, offset, bytes } of this.#ranges.get(tensor) ?? []) {
      encoder.copyBufferToBuffer(buffer, offset, this.#staging, at, bytes);
      at += bytes;
    }
    return at;
  }

  #copy(encoder: GPUCommandEncoder, from: GpuTensor, to: GpuTensor): void {
    const target = this.#ranges.get(to) ?? [];
    (this.#ranges.get(from) ?? []).forEach(({ buffer, offset, bytes }, part) => {
      encoder.copyBufferToBuffer(buffer, offset, target[part].buffer, target[part].offset, bytes);
    });
  }

  /** Waits for the device, and gives a copy of the first bytes of the staging buffer. */
  async #collect(what: string, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) {
      await this.#guard.waited(what, this.#guard.device.queue.onSubmittedWorkDone());
      return new ArrayBuffer(0);
    }
    await this.#guard.waited(what, this.#staging.mapAsync(usage.mapRead, 0, bytes));
    const copy = this.#staging.getMappedRange(0, bytes).slice(0);
    this.#staging.unmap();
    return copy;
  }
}

const floatsAt = (data: ArrayBuffer, { tensor, at }: { tensor: GpuTensor; at: number }): Float32Array =>
  new Float32Array(data, at, elementCount(tensor.shape)).slice();

const rangesIn = (
  buffers: readonly GPUBuffer[],
  places: ReadonlyMap<GpuTensor, readonly Place[]>,
): [GpuTensor, Range[]][] =>
  [...places].map(([tensor, list]) => [
    tensor,
    list.map(({ buffer, offset, bytes }) => ({ buffer: buffers[buffer], offset, bytes })),
  ]);

function rangesOf(
  ranges: ReadonlyMap<GpuTensor, readonly Range[]>,
  tensor: GpuTensor,
  kernel: Kernel,
): readonly Range[] {
  const list = ranges.get(tensor);
  if (!list) throw new RuntimeError(`${kernel.label} binds a tensor that has no place`, { runtime: 'webgpu' });
  return list;
}
