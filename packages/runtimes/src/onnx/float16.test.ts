/** Every float16 there is, the ties between them, and weights that ONNX Runtime reads as we do. */
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { float16Of, float32Of, weightIn, withFloat16Weights } from './float16.js';
import { encodeModel, type OnnxGraph, readModelParts } from './proto.js';

const bytesOf = (values: ArrayLike<number>): Uint8Array => new Uint8Array(Uint16Array.from(values).buffer);
/** All finite numbers from 0 up, in order; index is the bit pattern. */
const finite = float32Of(bytesOf(Array.from({ length: 0x7c00 }, (_, i) => i)));

describe('float16', () => {
  it('every bit pattern comes back, signs, zeros and infinities included', () => {
    const all = Array.from({ length: 0x10000 }, (_, i) => i).filter((bits) => (bits & 0x7fff) < 0x7c00);
    expect([...float16Of(float32Of(bytesOf(all)))]).toEqual(all);
    expect([...float32Of(bytesOf([0x7c00, 0xfc00, 0x7e00]))]).toEqual([Infinity, -Infinity, NaN]);
  });

  it('has the numbers of IEEE 754', () => {
    const known = { 0x0001: 2 ** -24, 0x03ff: 1023 * 2 ** -24, 0x0400: 2 ** -14, 0x3555: 0.333251953125, 0x3c00: 1 };
    for (const [bits, value] of Object.entries({ ...known, 0x7bff: 65504, 0xc000: -2, 0x8000: -0 }))
      expect(float32Of(bytesOf([Number(bits)]))[0], bits).toBe(value);
  });

  it('rounds to the nearest, and half way to the even one, subnormals too', () => {
    const wrong: string[] = [];
    for (let bits = 0; bits < finite.length - 1; bits++) {
      const [low, high] = [finite[bits], finite[bits + 1]];
      const middle = (low + high) / 2;
      const step = (high - low) / 1000;
      const rounded = float16Of(Float32Array.of(middle, middle - step, middle + step, -middle));
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (rounded.join() !== [even, bits, bits + 1, even | 0x8000].join()) wrong.push(`${bits}: ${rounded.join()}`);
    }
    expect(wrong).toEqual([]);
    expect(float16Of(Float32Array.of(2 ** -25, 2 ** -25 * 1.0001, 1e-40)).join()).toBe('0,1,0');
  });

  it('is the nearest of all numbers, whatever the value', () => {
    fc.assert(
      fc.property(fc.float({ min: Math.fround(-65519), max: Math.fround(65519), noNaN: true }), (value) => {
        const [bits] = float16Of(Float32Array.of(value));
        const error = Math.abs(Math.abs(value) - finite[bits & 0x7fff]);
        for (const near of [(bits & 0x7fff) - 1, (bits & 0x7fff) + 1])
          expect(Math.abs(Math.abs(value) - (finite[near] ?? Infinity))).toBeGreaterThanOrEqual(error);
      }),
      { numRuns: 500 },
    );
  });

  it.each([65520, -65520, 1e9, Infinity, -Infinity, NaN])('refuses %d', (value) => {
    expect(() => float16Of(Float32Array.of(1, value))).toThrow(`${value} at 1 is beyond float16`);
    expect([...float16Of(Float32Array.of(65519, -65519))]).toEqual([0x7bff, 0xfbff]);
  });
});

describe('weights in float16', () => {
  const plain: OnnxGraph = {
    name: 'g',
    inputs: [{ name: 'x', type: 'float32', shape: [3] }],
    outputs: [{ name: 'y', type: 'float32', shape: [3] }],
    initializers: [
      { name: 'w', type: 'float32', shape: [3], bytes: new Uint8Array(Float32Array.of(1 / 3, 1e-6, -7).buffer) },
      { name: 'b', type: 'float32', shape: [3], bytes: new Uint8Array(Float32Array.of(0.1, 1e9, -0).buffer) },
    ],
    nodes: [
      { op: 'Mul', inputs: ['x', 'w'], outputs: ['a'] },
      { op: 'Add', inputs: ['a', 'b'], outputs: ['y'] },
    ],
  };

  it('are what ONNX Runtime computes with and what we read', async () => {
    const bytes = encodeModel({ graph: withFloat16Weights(plain, new Set(['w'])), opset: 17 });
    const parts = new Map(readModelParts(bytes).initializers.map((tensor) => [tensor.name, tensor]));
    const [w, b] = ['w', 'b'].map((name) => weightIn(parts, name)?.values ?? new Float32Array());
    expect([...w]).toEqual([...float32Of(new Uint8Array(float16Of(Float32Array.of(1 / 3, 1e-6, -7)).buffer))]);
    expect([...b]).toEqual([...Float32Array.of(0.1, 1e9, -0)]);
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(3, 5, 2), [3]) });
    expect([...(y.data as Float32Array)]).toEqual([3, 5, 2].map((x, i) => Math.fround(Math.fround(x * w[i]) + b[i])));
    await session.release();
  });

  it('that are cut or of another type are told from those that are missing', () => {
    const half = { name: 'w/float16', type: 'float16', shape: [2], bytes: bytesOf([1, 2]) } as const;
    const find = (tensor: OnnxGraph['initializers'][number]) => weightIn(new Map([[tensor.name, tensor]]), 'w');
    expect(find(half)?.values?.length).toBe(2);
    expect(find({ ...half, bytes: bytesOf([1]) })).toEqual({ shape: [2], values: undefined });
    expect(find({ ...half, type: 'float32' })).toEqual({ shape: [2], values: undefined });
    expect(find({ ...half, name: 'w' })).toEqual({ shape: [2], values: undefined });
    expect(find({ ...half, name: 'v' })).toBeUndefined();
  });
});
