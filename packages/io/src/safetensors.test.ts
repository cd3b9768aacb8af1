import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, SafetensorsError, type StoredTensor } from './index.js';

const tensor: fc.Arbitrary<StoredTensor> = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) => {
  const length = shape.reduce((product, size) => product * size, 1);
  return fc.float32Array({ minLength: length, maxLength: length }).map((data) => ({ shape, data }));
});
const name = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', 'constructor', 'a.b/c:0', '1'));

/** A file with any header text and data. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

describe('safetensors', () => {
  it('round trip of any names, shapes and values, from any alignment', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, tensor), { maxLength: 6 }), fc.nat(7), (entries, offset) => {
        const tensors = new Map(entries);
        const bytes = encodeSafetensors(tensors, { made: 'by', ü: '"' });
        const shifted = new Uint8Array(bytes.length + offset).subarray(offset);
        shifted.set(bytes);
        const back = decodeSafetensors(shifted, 'x');
        expect(back.metadata).toEqual({ made: 'by', ü: '"' });
        expect(new Set(back.tensors.keys())).toEqual(new Set(tensors.keys()));
        for (const [key, { shape, data }] of tensors) expect(back.tensors.get(key)).toEqual({ shape, data });
      }),
    );
  });

  it('the bytes are those of the format, data aligned to 8', () => {
    const bytes = encodeSafetensors(new Map([['a', { shape: [1, 2], data: Float32Array.of(1, -2) }]]));
    const text = '{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + length)).trimEnd()).toBe(text);
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 192]);
  });

  it('a Node Buffer gives tensors of their own memory', () => {
    const bytes = Buffer.from(encodeSafetensors(new Map([['a', { shape: [1], data: Float32Array.of(3) }]])));
    const { tensors } = decodeSafetensors(bytes, 'x');
    bytes.fill(0);
    expect(tensors.get('a')?.data).toEqual(Float32Array.of(3));
  });

  const f32 = (begin: number, end: number, shape: unknown = [1]): unknown => ({
    dtype: 'F32',
    shape,
    data_offsets: [begin, end],
  });
  it.each([
    ['too short', new Uint8Array(5), /truncated/],
    ['header longer than the file', file('{}', 0).fill(255, 0, 8), /truncated or not/],
    ['not JSON', file('hello', 0), /not JSON/],
    ['a list', file('[]', 0), /not a JSON object/],
    ['entry of another kind', file({ a: 3 }, 0), /tensor "a": its header entry/],
    ['other type', file({ a: { dtype: 'F16', shape: [2], data_offsets: [0, 4] } }, 4), /type F16/],
    ['negative size', file({ a: f32(0, 4, [-1]) }, 4), /not a list of sizes/],
    ['bytes do not match the shape', file({ a: f32(0, 4, [2]) }, 4), /4 bytes for shape/],
    ['data cut off', file({ a: f32(0, 8, [2]) }, 4), /truncated/],
    ['a gap', file({ a: f32(4, 8) }, 8), /gap or overlap/],
    ['an overlap', file({ a: f32(0, 4), b: f32(0, 4) }, 4), /gap or overlap/],
    ['more data than described', file({ a: f32(0, 4) }, 8), /describes 4/],
    ['metadata not text', file({ __metadata__: { a: 1 } }, 0), /__metadata__/],
  ])('refuses: %s', (_title, bytes, message) => {
    const decode = (): unknown => decodeSafetensors(bytes, 'weights.safetensors');
    expect(decode).toThrow(SafetensorsError);
    expect(decode).toThrow(message);
    expect(decode).toThrow(/^weights\.safetensors/);
  });

  it('refuses to write what does not fit', () => {
    expect(() => encodeSafetensors(new Map([['a', { shape: [2], data: Float32Array.of(1) }]]))).toThrow(
      SafetensorsError,
    );
    expect(() => encodeSafetensors(new Map([['__metadata__', { shape: [], data: Float32Array.of(1) }]]))).toThrow(
      /reserved/,
    );
  });
});
