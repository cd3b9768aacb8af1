/**
 * Types of stored voxels, shared by all volume formats: how raw bytes become a typed array.
 *
 * 64-bit integers have no ordinary typed array: they are read as Float64 and must be exact there. The trap is that a
 * value above 2^53 that a double cannot hold would be rounded silently, so it is refused instead.
 */
import type { VoxelArray } from '@quickcolumn/volume';
import { hostIsLittleEndian, swapBytes } from './byte-order.js';

/** Names of the types, as NumPy calls them. */
export type ScalarName =
  | 'uint8'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float32'
  | 'float64';

/** How one value is stored. */
export interface ScalarType {
  readonly name: ScalarName;
  readonly bytes: 1 | 2 | 4 | 8;
  /** A view on raw bytes in host order; 64-bit integers view as Float64 and are converted in place afterwards. */
  readonly view: (buffer: ArrayBuffer) => VoxelArray;
}

export const scalarTypes: Readonly<Record<ScalarName, ScalarType>> = {
  uint8: { name: 'uint8', bytes: 1, view: (buffer) => new Uint8Array(buffer) },
  int8: { name: 'int8', bytes: 1, view: (buffer) => new Int8Array(buffer) },
  int16: { name: 'int16', bytes: 2, view: (buffer) => new Int16Array(buffer) },
  uint16: { name: 'uint16', bytes: 2, view: (buffer) => new Uint16Array(buffer) },
  int32: { name: 'int32', bytes: 4, view: (buffer) => new Int32Array(buffer) },
  uint32: { name: 'uint32', bytes: 4, view: (buffer) => new Uint32Array(buffer) },
  int64: { name: 'int64', bytes: 8, view: (buffer) => new Float64Array(buffer) },
  uint64: { name: 'uint64', bytes: 8, view: (buffer) => new Float64Array(buffer) },
  float32: { name: 'float32', bytes: 4, view: (buffer) => new Float32Array(buffer) },
  float64: { name: 'float64', bytes: 8, view: (buffer) => new Float64Array(buffer) },
};

/** The types that arrays have; 64-bit integers are read as doubles. */
export type ArrayScalarName = Exclude<ScalarName, 'int64' | 'uint64'>;

const arrayNames: Readonly<Record<VoxelArray[typeof Symbol.toStringTag], ArrayScalarName>> = {
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Int16Array: 'int16',
  Uint16Array: 'uint16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  Float32Array: 'float32',
  Float64Array: 'float64',
};

/** The type that stores a typed array as it is. */
export function scalarNameOf(voxels: VoxelArray): ArrayScalarName {
  // The tag, not constructor.name: a Node Buffer is a Uint8Array too.
  return arrayNames[voxels[Symbol.toStringTag]];
}

/**
 * Stored bytes to values; takes ownership of `buffer` and changes it in place.
 * Throws what `refuse` makes of the problem when a 64-bit integer is not exact as a double.
 */
export function decodeScalars(
  buffer: ArrayBuffer,
  type: ScalarType,
  littleEndian: boolean,
  refuse: (problem: string) => Error,
): VoxelArray {
  if (littleEndian !== hostIsLittleEndian) swapBytes(buffer, type.bytes);
  if (type.name === 'int64' || type.name === 'uint64') integersToDoubles(buffer, type.name, refuse);
  return type.view(buffer);
}

/** 64-bit integers in host order to doubles over the same bytes. */
function integersToDoubles(buffer: ArrayBuffer, type: 'int64' | 'uint64', refuse: (problem: string) => Error): void {
  const low = hostIsLittleEndian ? 0 : 1;
  const words = new Uint32Array(buffer);
  const signedWords = new Int32Array(buffer);
  const doubles = new Float64Array(buffer);
  const highWords = type === 'int64' ? signedWords : words;
  for (let i = 0; i < doubles.length; i++) {
    const high = highWords[2 * i + 1 - low];
    const lowWord = words[2 * i + low];
    const value = high * 2 ** 32 + lowWord;
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      const exact = (BigInt(high) << 32n) | BigInt(lowWord);
      if (BigInt(value) !== exact) throw refuse(`voxel ${i}: the ${type} value ${exact} is not exact as a double`);
    }
    doubles[i] = value;
  }
}
