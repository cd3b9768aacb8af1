import { describe, expect, it } from 'vitest';
import { openOnnx } from './open.js';
import { encodeModel, type OnnxGraph } from './proto.js';
import { readSignature } from './signature.js';

const graph: OnnxGraph = {
  name: 'g',
  nodes: [{ op: 'Mul', inputs: ['x', 'two'], outputs: ['y'] }],
  // Weights among the inputs, as files of old have them.
  inputs: [
    { name: 'x', type: 'float32', shape: ['n', 3] },
    { name: 'two', type: 'float32', shape: [] },
  ],
  outputs: [{ name: 'y', type: 'float32', shape: ['n', 3] }],
  initializers: [{ name: 'two', type: 'float32', shape: [], bytes: new Uint8Array(Float32Array.of(2).buffer) }],
};
const bytes = encodeModel({ opset: 17, producer: 'a test', metadata: { key: 'value' }, graph });

describe('readSignature', () => {
  it('tells inputs without weights, outputs, the producer and the keys of the metadata', () => {
    expect(readSignature(bytes)).toEqual({
      inputs: [{ name: 'x', type: 'float32', shape: ['n', 3] }],
      outputs: [{ name: 'y', type: 'float32', shape: ['n', 3] }],
      producer: 'a test',
      metadataKeys: ['key'],
      externalFiles: [],
    });
  });

  it('refuses what is cut short', () => {
    expect(() => readSignature(bytes.subarray(0, bytes.length - 3))).toThrow(RangeError);
  });
});

describe('a session of an ONNX file', () => {
  it('runs with any length of a free axis, and tells what ONNX Runtime refuses', async () => {
    const runtime = await openOnnx();
    const session = await runtime.openModel?.(bytes);
    const run = async (shape: readonly number[], data: Float32Array): Promise<unknown> =>
      (await session?.run({ x: { shape, data } }, ['y']))?.['y'];
    expect(await run([1, 3], Float32Array.of(1, 2, 3))).toEqual({ shape: [1, 3], data: Float32Array.of(2, 4, 6) });
    expect(await run([2, 3], new Float32Array(6).fill(4))).toMatchObject({ shape: [2, 3] });
    await expect(run([1, 2], Float32Array.of(1, 2))).rejects.toMatchObject({ code: 'runtime' });
    await session?.dispose();
    await expect(run([1, 3], Float32Array.of(1, 2, 3))).rejects.toThrow(/disposed/);
    await expect(runtime.openModel?.(new Uint8Array([1, 2, 3]))).rejects.toThrow(/does not open the model/);
    await expect(runtime.openModel?.(bytes, { precision: 'bfloat16' })).rejects.toMatchObject({ code: 'runtime' });
  });
});
