/**
 * Making tensors for the device, and their bytes from and to C-ordered arrays.
 *
 * A tensor larger than one binding may be is cut in consecutive parts. The trap: buffers are bound in multiples of
 * 256 bytes, and a part must hold whole vec4, so a part's length is a multiple of 64 elements unless it is the last.
 */
import { elementCount, type Shape } from '@quickcolumn/graph';
import type { GpuTensor, KernelLimits, Layout, Storage } from './kernel.js';

/** Channels in fours, as blocked images have them. */
export const channelBlocks = (channels: number): number => Math.ceil(channels / 4);

/** Elements that a tensor holds, padding included: a multiple of 4. */
export function storedElements(shape: Shape, layout: Layout): number {
  if (layout === 'plain') return Math.max(4, Math.ceil(elementCount(shape) / 4) * 4);
  const [n, c, ...grid] = shape;
  return n * channelBlocks(c) * 4 * elementCount(grid);
}

export const bytesPerElement: Readonly<Record<Storage, number>> = { f32: 4, f16: 2, u8: 1 };

export function makeTensor(
  shape: Shape,
  layout: Layout,
  { storage = 'f32', limits }: { storage?: Storage; limits: Pick<KernelLimits, 'maxStorageBufferBindingSize'> },
): GpuTensor {
  const most = Math.floor(limits.maxStorageBufferBindingSize / 256) * Math.floor(256 / bytesPerElement[storage]);
  const parts: number[] = [];
  for (let left = storedElements(shape, layout); left > 0; left -= most) parts.push(Math.min(left, most));
  return { shape, layout, storage, parts };
}

/** C-ordered values as the device stores them in f32. */
export function packBlocked(values: ArrayLike<number>, shape: Shape): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(storedElements(shape, 'blocked'));
  eachBlocked(shape, (plain, blocked) => {
    packed[blocked] = values[plain];
  });
  return packed;
}

/** The inverse of `packBlocked`. */
export function unpackBlocked(packed: ArrayLike<number>, shape: Shape): Float32Array<ArrayBuffer> {
  const values = new Float32Array(elementCount(shape));
  eachBlocked(shape, (plain, blocked) => {
    values[plain] = packed[blocked];
  });
  return values;
}

function eachBlocked([n, c, ...grid]: Shape, f: (plain: number, blocked: number) => void): void {
  const voxels = elementCount(grid);
  const blocks = channelBlocks(c);
  for (let sample = 0; sample < n; sample++)
    for (let channel = 0; channel < c; channel++) {
      const plain = (sample * c + channel) * voxels;
      const blocked = (sample * blocks + (channel >> 2)) * voxels * 4 + (channel & 3);
      for (let voxel = 0; voxel < voxels; voxel++) f(plain + voxel, blocked + voxel * 4);
    }
}
