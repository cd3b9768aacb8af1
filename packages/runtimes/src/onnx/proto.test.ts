/** Models written here are read back, run by ONNX Runtime, and refused when cut or damaged. */
import { countSteps } from '@quickcolumn/testing/count-steps';
import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type ElementType, encodeModel, type OnnxModel, type OnnxTensor, readModelParts } from './proto.js';

const sizes: Record<ElementType, number> = { float32: 4, uint8: 1, int32: 4, int64: 8, bool: 1, float16: 2 };

function tensor(name: string, type: ElementType, shape: readonly number[], seed = 1): OnnxTensor {
  const bytes = new Uint8Array(shape.reduce((product, size) => product * size, 1) * sizes[type]);
  return { name, type, shape, bytes: bytes.map((_, i) => (i * 31 + seed) % 256) };
}

function modelOf(initializers: readonly OnnxTensor[], metadata?: Readonly<Record<string, string>>): OnnxModel {
  return { graph: { name: 'g', nodes: [], inputs: [], outputs: [], initializers }, opset: 17, metadata };
}

const floats = (values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** y = leakyRelu(largest 2·x[n]) + 1 for each of two columns: integer, float and list attributes. */
const runnable: OnnxModel = {
  opset: 17,
  producer: 'a test',
  metadata: { note: 'x' },
  graph: {
    name: 'g',
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 2] }],
    outputs: [{ name: 'y', type: 'float32', shape: [1, 2] }],
    initializers: [
      { name: 'two', type: 'float32', shape: [], bytes: floats([2]) },
      { name: 'one', type: 'float32', shape: [1, 2], bytes: floats([1, 1]) },
    ],
    nodes: [
      { op: 'Mul', name: 'double', inputs: ['x', 'two'], outputs: ['a'] },
      { op: 'Transpose', inputs: ['a'], outputs: ['b'], attributes: { perm: { kind: 'ints', value: [1, 0] } } },
      { op: 'Concat', inputs: ['b', 'b'], outputs: ['c'], attributes: { axis: { kind: 'int', value: -1 } } },
      { op: 'ReduceMax', inputs: ['c'], outputs: ['d'], attributes: { axes: { kind: 'ints', value: [-1] } } },
      { op: 'LeakyRelu', inputs: ['d'], outputs: ['e'], attributes: { alpha: { kind: 'float', value: 0.5 } } },
      { op: 'Transpose', inputs: ['e'], outputs: ['f'], attributes: { perm: { kind: 'ints', value: [1, 0] } } },
      { op: 'Add', inputs: ['f', 'one'], outputs: ['y'] },
    ],
  },
};

describe('round trip', () => {
  it('gives back metadata and initializers of every type', () => {
    const initializers = [
      tensor('encoder/0/weight', 'float32', [3, 2, 1, 1, 5]),
      tensor('scalar', 'float32', []),
      tensor('empty', 'float32', [0, 4]),
      tensor('labels', 'uint8', [300]),
      tensor('index', 'int64', [2]),
      tensor('counts', 'int32', [3]),
      tensor('flags', 'bool', [2]),
      tensor('halves', 'float16', [2, 3]),
    ];
    const metadata = { quickcolumn: '{"name":"Lunge – 肺 🫁"}', '': 'an empty key', empty: '' };
    const parts = readModelParts(encodeModel(modelOf(initializers, metadata)));
    expect(parts.metadata).toEqual(metadata);
    expect(parts.initializers).toEqual(initializers);
  });

  it('holds for any names, shapes and texts', () => {
    const names = fc.string({ unit: 'grapheme', maxLength: 20 });
    // A lone `__proto__` key is not stored in a plain object.
    const texts = fc.dictionary(
      names.filter((name) => name !== '__proto__'),
      names,
      { noNullPrototype: true },
    );
    const shapes = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(fc.tuple(names, shapes, fc.integer()), { maxLength: 5 }), texts, (list, metadata) => {
        const initializers = list.map(([name, shape, seed]) => tensor(name, 'float32', shape, Math.abs(seed)));
        const parts = readModelParts(encodeModel(modelOf(initializers, metadata)));
        expect(parts).toEqual({ metadata, initializers });
      }),
      { numRuns: 60 },
    );
  });

  it('handles lengths around the sizes of a varint', () => {
    for (const count of [0, 1, 31, 32, 33, 4095, 4096, 4097]) {
      const initializers = [tensor('w', 'float32', [count])];
      expect(readModelParts(encodeModel(modelOf(initializers))).initializers).toEqual(initializers);
    }
  });

  it('copies: the tensors do not change with the bytes of the file', () => {
    const bytes = encodeModel(modelOf([tensor('w', 'float32', [4])]));
    const [{ bytes: data }] = readModelParts(bytes).initializers;
    const before = data.slice();
    bytes.fill(0);
    expect(data).toEqual(before);
  });

  it('initializers can be viewed as Float32Array wherever the file lies in its buffer', () => {
    const encoded = encodeModel(modelOf([{ name: 'w', type: 'float32', shape: [2], bytes: floats([1.5, -2]) }]));
    for (let offset = 0; offset < 4; offset++) {
      const shifted = new Uint8Array(encoded.length + offset);
      shifted.set(encoded, offset);
      const [{ bytes }] = readModelParts(shifted.subarray(offset)).initializers;
      expect([...new Float32Array(bytes.buffer, bytes.byteOffset, 2)]).toEqual([1.5, -2]);
    }
  });

  it('does not read what lies around the given bytes', () => {
    const encoded = encodeModel(modelOf([tensor('w', 'float32', [2])], { a: 'b' }));
    const padded = new Uint8Array(encoded.length + 20).fill(255);
    padded.set(encoded, 10);
    expect(readModelParts(padded.subarray(10, 10 + encoded.length)).metadata).toEqual({ a: 'b' });
  });
});

describe('ONNX Runtime', () => {
  it('runs a model with integer, float and list attributes and a symbolic dimension', async () => {
    const session = await ort.InferenceSession.create(encodeModel(runnable), { logSeverityLevel: 3 });
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(-1, 2, -3, 4), [2, 2]) });
    expect([...(y.data as Float32Array)]).toEqual([0, 9]);
    expect(session.inputMetadata[0]).toMatchObject({ name: 'x', shape: ['n', 2] });
    await session.release();
  });

  it('runs a string attribute and a nested graph that sees outer values', async () => {
    const body = {
      name: 'body',
      initializers: [],
      inputs: [
        { name: 'i', type: 'int64', shape: [] },
        { name: 'go', type: 'bool', shape: [] },
        { name: 'sum', type: 'float32', shape: [2] },
      ],
      outputs: [
        { name: 'more', type: 'bool', shape: [] },
        { name: 'next', type: 'float32', shape: [2] },
      ],
      nodes: [
        { op: 'Identity', inputs: ['go'], outputs: ['more'] },
        { op: 'Add', inputs: ['sum', 'x'], outputs: ['next'] },
      ],
    } as const;
    const model: OnnxModel = {
      opset: 17,
      graph: {
        name: 'g',
        inputs: [{ name: 'x', type: 'float32', shape: [2] }],
        outputs: [{ name: 'y', type: 'float32', shape: [4] }],
        initializers: [
          { name: 'turns', type: 'int64', shape: [], bytes: new Uint8Array(BigInt64Array.of(3n).buffer) },
          { name: 'pads', type: 'int64', shape: [2], bytes: new Uint8Array(BigInt64Array.of(1n, 1n).buffer) },
        ],
        nodes: [
          {
            op: 'Loop',
            inputs: ['turns', '', 'x'],
            outputs: ['a'],
            attributes: { body: { kind: 'graph', value: body } },
          },
          { op: 'Pad', inputs: ['a', 'pads'], outputs: ['y'], attributes: { mode: { kind: 'string', value: 'edge' } } },
        ],
      },
    };
    const session = await ort.InferenceSession.create(encodeModel(model), { logSeverityLevel: 3 });
    const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1, 5), [2]) });
    expect([...(y.data as Float32Array)]).toEqual([4, 4, 20, 20]);
    await session.release();
  });
});

describe('damaged bytes', () => {
  it('a file cut at any byte is refused, or is shorter by whole trailing parts', () => {
    const model = modelOf([tensor('w', 'float32', [2, 3]), tensor('b', 'float32', [3])], { first: '1', second: '2' });
    const bytes = encodeModel(model);
    let accepted = 0;
    for (let length = 0; length < bytes.length; length++) {
      let parts: ReturnType<typeof readModelParts>;
      try {
        parts = readModelParts(bytes.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toBe('truncated protobuf');
        continue;
      }
      accepted++;
      expect([0, 2]).toContain(parts.initializers.length);
      expect(Object.keys(parts.metadata).length).toBeLessThan(2);
    }
    // Empty, and behind the version, the producer, the graph, two operator sets, and the first metadata entry.
    expect(accepted).toBe(7);
  });

  it('any other bytes give parts or a RangeError, after few steps', async () => {
    const bytes = encodeModel(runnable);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, value) => {
        const damaged = bytes.slice();
        damaged[at] = value;
        const { steps } = await countSteps(() => {
          try {
            readModelParts(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
          }
        });
        expect(steps).toBeLessThan(100 * bytes.length);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a varint without an end', [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['a length of 2^63', [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ['a group', [0x0b, 0x0c]],
    ['a text file', [...new TextEncoder().encode('this is not a model')]],
  ])('%s is refused', (_name, bytes) => {
    expect(() => readModelParts(Uint8Array.from(bytes))).toThrow(RangeError);
  });
});
