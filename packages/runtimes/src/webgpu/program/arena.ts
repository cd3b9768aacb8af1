/**
 * Where tensors lie: offline placement of tensors with known lifetimes in few large buffers.
 *
 * Largest first, each at the lowest place that no tensor of an overlapping lifetime has. The trap: a binding begins at
 * a multiple of 256 bytes and lies within one buffer, and no buffer may be larger than the device's limit.
 */
import type { GpuTensor, Kernel } from '../kernels/kernel.js';
import { bytesPerElement } from '../kernels/tensors.js';

export interface Place {
  readonly buffer: number;
  readonly offset: number;
  readonly bytes: number;
}

export interface Placement {
  /** Bytes of each buffer. */
  readonly buffers: readonly number[];
  /** Of each part of each tensor. */
  readonly places: ReadonlyMap<GpuTensor, readonly Place[]>;
}

/** Passes in which a tensor is needed, both included. */
export interface Lifetime {
  readonly tensor: GpuTensor;
  readonly first: number;
  readonly last: number;
}

const alignment = 256;

export const partBytes = (tensor: GpuTensor): number[] =>
  tensor.parts.map((elements) => elements * bytesPerElement[tensor.storage]);

export function placeTensors(lifetimes: readonly Lifetime[], maxBufferSize: number): Placement {
  const wanted = lifetimes
    .flatMap(({ tensor, first, last }) =>
      partBytes(tensor).map((bytes, part) => ({ tensor, part, bytes, first, last })),
    )
    .sort((a, b) => b.bytes - a.bytes || a.first - b.first);
  const capacity = Math.floor(maxBufferSize / alignment) * alignment;
  const buffers: { size: number; taken: { offset: number; end: number; first: number; last: number }[] }[] = [];
  const places = new Map<GpuTensor, Place[]>();
  for (const { tensor, part, bytes, first, last } of wanted) {
    let offset: number | undefined;
    let buffer = 0;
    for (; offset === undefined; buffer++) {
      if (buffer === buffers.length) buffers.push({ size: 0, taken: [] });
      const gap = lowestGap(buffers[buffer].taken, { bytes, first, last });
      // An empty buffer takes anything: a binding is never larger than a buffer may be.
      if (gap + bytes <= capacity || buffers[buffer].taken.length === 0) offset = gap;
    }
    const chosen = buffers[buffer - 1];
    chosen.taken.push({ offset, end: offset + Math.ceil(bytes / alignment) * alignment, first, last });
    chosen.taken.sort((a, b) => a.offset - b.offset);
    chosen.size = Math.max(chosen.size, offset + bytes);
    const list = places.get(tensor) ?? [];
    list[part] = { buffer: buffer - 1, offset, bytes };
    places.set(tensor, list);
  }
  return { buffers: buffers.map(({ size }) => size), places };
}

function lowestGap(
  taken: readonly { offset: number; end: number; first: number; last: number }[],
  { bytes, first, last }: { bytes: number; first: number; last: number },
): number {
  let at = 0;
  for (const other of taken) {
    if (other.last < first || last < other.first) continue;
    if (at + bytes <= other.offset) break;
    at = Math.max(at, other.end);
  }
  return at;
}

/** When each tensor of the passes is needed; inputs are there before the first, `kept` ones stay to the end. */
export function lifetimesOf(
  kernels: readonly Kernel[],
  {
    inputs,
    kept,
    elsewhere,
  }: { inputs: Iterable<GpuTensor>; kept: Iterable<GpuTensor>; elsewhere: ReadonlySet<GpuTensor> },
): Lifetime[] {
  const found = new Map<GpuTensor, { first: number; last: number }>();
  kernels.forEach(({ bindings }, at) => {
    for (const { tensor } of bindings) {
      if (elsewhere.has(tensor)) continue;
      const life = found.get(tensor);
      if (life) life.last = at;
      else found.set(tensor, { first: at, last: at });
    }
  });
  for (const tensor of inputs) {
    const life = found.get(tensor);
    if (life) life.first = -1;
  }
  for (const tensor of kept) {
    const life = found.get(tensor);
    if (life) life.last = kernels.length;
    else if (!elsewhere.has(tensor)) found.set(tensor, { first: -1, last: kernels.length });
  }
  return [...found].map(([tensor, { first, last }]) => ({ tensor, first, last }));
}
