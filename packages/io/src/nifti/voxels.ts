/**
 * From stored bytes to voxel values: byte order, 64-bit integers, slope and intercept. Everything that can be done in
 * place is done in place, because a chest CT is hundreds of megabytes.
 */
import type { VoxelArray } from '@quickcolumn/volume';
import { NiftiError } from './error.js';
import { type NiftiHeader, voxelBytes } from './header.js';
import { decodeScalars } from '../voxels/scalars.js';

/**
 * Checks what the header promises against a limit and against what the file can hold, then allocates.
 * `available` is the number of bytes there are for voxels; for gzip, the most that the compressed bytes can expand to.
 */
export function allocateVoxels(header: NiftiHeader, name: string, available: number, maxBytes: number): ArrayBuffer {
  const promised = voxelBytes(header);
  const shape = header.size.join('×');
  const needed = isScaled(header)
    ? Math.max(promised, (promised / header.datatype.bytes) * scaledBytes(header))
    : promised;
  if (!(needed <= maxBytes)) {
    throw new NiftiError(
      name,
      'dim',
      `${shape} voxels of ${header.datatype.name} need ${needed} bytes, more than the limit of ${maxBytes}`,
    );
  }
  if (promised > available) {
    throw new NiftiError(
      name,
      'voxels',
      `truncated: ${shape} voxels of ${header.datatype.name} are ${promised} bytes, the file has at most ${Math.max(0, available)}`,
    );
  }
  try {
    return new ArrayBuffer(promised);
  } catch (cause) {
    throw new NiftiError(name, 'dim', `${shape} voxels: ${promised} bytes cannot be allocated here`, { cause });
  }
}

/**
 * Stored bytes to values; takes ownership of `buffer` and changes it. Integers stay as they are when there is no
 * scaling. Scaled values become Float32, or Float64 where the stored type has more digits than Float32 keeps.
 */
export function decodeVoxels(buffer: ArrayBuffer, header: NiftiHeader, name: string): VoxelArray {
  const { datatype } = header;
  const refuse = (problem: string): NiftiError => new NiftiError(name, 'voxels', problem);
  const stored = decodeScalars(buffer, datatype, header.littleEndian, refuse);
  if (!isScaled(header)) return stored;
  const { slope, intercept } = header;
  let scaled: Float32Array | Float64Array;
  if (stored instanceof Float32Array || stored instanceof Float64Array) scaled = stored;
  else scaled = scaledBytes(header) === 8 ? new Float64Array(stored.length) : new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) scaled[i] = stored[i] * slope + intercept;
  return scaled;
}

function isScaled(header: NiftiHeader): boolean {
  return header.slope !== 1 || header.intercept !== 0;
}

function scaledBytes({ datatype }: NiftiHeader): 4 | 8 {
  return datatype.bytes === 8 || datatype.name === 'int32' || datatype.name === 'uint32' ? 8 : 4;
}
