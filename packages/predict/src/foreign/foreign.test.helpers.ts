/** ONNX models as other frameworks could write them, small enough to know what they do. */
import { encodeModel, type OnnxModel, type OnnxTensor, openOnnx } from '@quickcolumn/runtimes';
import type { LoadedModel } from '../model/loaded-model.js';
import { foreignOn } from './foreign-model.js';
import { parseForeign } from './parse-foreign.js';

type OnnxNode = OnnxModel['graph']['nodes'][number];

const runtime = await openOnnx();

/** Settings of a model with two classes; what is given replaces the usual. */
export function settingsOf(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    format: 'quickcolumn-foreign-model',
    version: 1,
    output: { kind: 'logits' },
    axes: 'SPL',
    spacingMm: null,
    intensity: { kind: 'none' },
    patch: [6, 5, 4],
    overlap: [3, 2, 1],
    classes: [
      { value: 0, name: 'background' },
      { value: 1, name: 'infection', role: 'lesion' },
    ],
    ...changes,
  };
}

export const floatTensor = (name: string, shape: readonly number[], values: readonly number[]): OnnxTensor => ({
  name,
  type: 'float32',
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

/** `y` from `x`, both float32 with five axes of any length unless said otherwise. */
export function onnxModel(
  nodes: readonly OnnxNode[],
  initializers: readonly OnnxTensor[] = [],
  {
    inputShape = ['n', 1, 'a', 'b', 'c'],
    outputShape = ['n', 2, 'a', 'b', 'c'],
  }: { inputShape?: readonly (number | string)[]; outputShape?: readonly (number | string)[] } = {},
): Uint8Array {
  return encodeModel({
    opset: 17,
    producer: 'a test',
    graph: {
      name: 'g',
      nodes,
      initializers,
      inputs: [{ name: 'x', type: 'float32', shape: inputShape }],
      outputs: [{ name: 'y', type: 'float32', shape: outputShape }],
    },
  });
}

/** Logits [0, value of the next voxel along one axis of the tensor]; 0 beyond the last. */
export function shiftModel(axis: 0 | 1 | 2): Uint8Array {
  const kernel = new Array<number>(2 * 27).fill(0);
  kernel[27 + 13 + [9, 3, 1][axis]] = 1;
  const conv: OnnxNode = {
    op: 'Conv',
    inputs: ['x', 'w'],
    outputs: ['y'],
    attributes: { pads: { kind: 'ints', value: [1, 1, 1, 1, 1, 1] } },
  };
  return onnxModel([conv], [floatTensor('w', [2, 1, 3, 3, 3], kernel)]);
}

/** Opens a model with settings on ONNX Runtime. */
export async function foreign(
  bytes: Uint8Array,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<LoadedModel> {
  const beside = { settings: JSON.stringify(settingsOf(changes)), readFile: noFile };
  return foreignOn(await parseForeign(bytes, 'made.onnx', beside), { runtime, precision: 'float32' });
}

export async function noFile(name: string): Promise<Uint8Array> {
  throw new Error(`no file ${name}`);
}
