/**
 * Weights in half the bytes: IEEE 754 binary16 (float16) to and from float32, and model files that keep weights so.
 *
 * In the file a weight NAME is an initializer `NAME/float16`, and a Cast node makes NAME of it: every ONNX Runtime does
 * so once, when it opens the file, and computes in float32. 11 bits of mantissa are kept; below 6.1e-5 fewer (subnormals).
 * The trap: what is 65520 or more would round to infinity, so it is refused.
 */
import type { OnnxGraph, OnnxNode, OnnxTensor } from './proto.js';

const suffix = '/float16';

/** Rounded to the nearest, ties to even. @throws RangeError for a value beyond ±65504, infinite or not a number */
export function float16Of(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word, at) => {
    const sign = (word >>> 16) & 0x8000;
    const size = word & 0x7fffffff;
    // Half way between the largest number and what would be the next.
    if (size >= 0x477ff000) throw new RangeError(`${values[at]} at ${at} is beyond float16, whose largest is 65504`);
    // 2^-14: below, numbers are multiples of 2^-24, and adding 2^52 rounds a double to a whole number, ties to even.
    if (size < 0x38800000) return sign | (Math.abs(values[at]) * 2 ** 24 + 2 ** 52 - 2 ** 52);
    const exact = size - 0x38000000;
    return sign | ((exact + 0xfff + ((exact >>> 13) & 1)) >>> 13);
  });
}

/** Exact. @param bytes little-endian float16, an even number of bytes */
export function float32Of(bytes: Uint8Array): Float32Array {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const values = new Float32Array(halves.length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < halves.length; i++) {
    const sign = (halves[i] & 0x8000) << 16;
    const size = halves[i] & 0x7fff;
    if (size >= 0x400) bits[i] = sign | (size >= 0x7c00 ? 0x7f800000 | (size << 13) : (size << 13) + 0x38000000);
    else {
      values[i] = size * 2 ** -24;
      bits[i] |= sign;
    }
  }
  return values;
}

/** The graph with these of its float32 initializers kept in float16. @throws RangeError as `float16Of` does */
export function withFloat16Weights(graph: OnnxGraph, names: ReadonlySet<string>): OnnxGraph {
  const casts: OnnxNode[] = [];
  const initializers = graph.initializers.map((tensor): OnnxTensor => {
    const { name, shape, bytes } = tensor;
    if (!names.has(name)) return tensor;
    casts.push({ op: 'Cast', inputs: [name + suffix], outputs: [name], attributes: { to: { kind: 'int', value: 1 } } });
    const halves = float16Of(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
    return { name: name + suffix, type: 'float16', shape, bytes: new Uint8Array(halves.buffer) };
  });
  return { ...graph, nodes: [...casts, ...graph.nodes], initializers };
}

/**
 * A weight by its name, however the file keeps it. `values` is undefined where type or number of bytes are not what they
 * should be. @param initializers by name, as `readModelParts` gives them
 */
export function weightIn(
  initializers: ReadonlyMap<string, OnnxTensor>,
  name: string,
): { readonly shape: readonly number[]; readonly values: Float32Array | undefined } | undefined {
  const half = initializers.get(name + suffix);
  const tensor = initializers.get(name) ?? half;
  if (tensor === undefined) return undefined;
  const { shape, type, bytes } = tensor;
  const bytesEach = bytes.length / shape.reduce((product, size) => product * size, 1);
  if (tensor === half) return { shape, values: type === 'float16' && bytesEach === 2 ? float32Of(bytes) : undefined };
  return { shape, values: type === 'float32' && bytesEach === 4 ? new Float32Array(bytes.buffer) : undefined };
}
