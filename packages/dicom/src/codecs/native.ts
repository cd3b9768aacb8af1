/** Uncompressed samples (PS3.5, 8.1): 8, 16 or 32 bits each, or single bits packed from the lowest upwards. */
import type { FrameSamples } from './codec-types.js';

/** Samples from bytes in either order. The bytes must be there; a new array is made. */
export function nativeSamples(bytes: Uint8Array, bitsAllocated: number, bigEndian: boolean): FrameSamples {
  // Not slice(): a Buffer's would be a view.
  if (bitsAllocated === 8) return Uint8Array.from(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bitsAllocated === 16) {
    const samples = new Uint16Array(bytes.length >> 1);
    for (let i = 0; i < samples.length; i++) samples[i] = view.getUint16(2 * i, !bigEndian);
    return samples;
  }
  const samples = new Uint32Array(bytes.length >> 2);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getUint32(4 * i, !bigEndian);
  return samples;
}

/** `count` single bits, beginning with bit `first` of the bytes. */
export function bitSamples(bytes: Uint8Array, first: number, count: number): Uint8Array {
  const samples = new Uint8Array(count);
  for (let i = 0; i < count; i++) samples[i] = (bytes[(first + i) >> 3] >> ((first + i) & 7)) & 1;
  return samples;
}
