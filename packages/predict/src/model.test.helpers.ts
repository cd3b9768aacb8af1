/** Models for the tests of this package: functions that play a network, and real ones with made-up weights. */
import { networkSchema, predictionGraph } from '@quickcolumn/networks';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import { type NamedTensor, openOnnx } from '@quickcolumn/runtimes';
import { type LabelClass, msdClasses, type Size3 } from '@quickcolumn/volume';
import type { LoadedModel } from './model/loaded-model.js';
import { modelOn } from './model/open-model.js';

const onnxRuntime = await openOnnx();

/** Metadata of a small model; what is given replaces the usual. */
export function metadataOf(changes: Partial<ModelMetadata> & { classes?: readonly LabelClass[] } = {}): ModelMetadata {
  const { classes = msdClasses, ...rest } = changes;
  return {
    format: 'quickcolumn-model',
    version: 3,
    network: { name: 'unet3d', rootFilters: 4 },
    preparation: { intensity: 'window', clipHu: [-1250, 250], spacingMm: [2, 2, 4], classes },
    patch: [32, 32, 16],
    overlap: [16, 16, 8],
    training: {},
    notes: '',
    weightsSha256: 'abc',
    ...rest,
  };
}

/** A model whose network is a function of one window. */
export function modelFrom(
  run: (window: Float32Array) => Float32Array,
  changes: Partial<LoadedModel> = {},
): LoadedModel {
  return {
    name: 'models/m.onnx',
    files: [{ file: 'm.onnx', sha256: 'f00', weightsSha256: 'abc' }],
    metadata: metadataOf(),
    runtime: { name: 'played', version: '1', precision: 'float32' },
    windowsAtOnce: 1,
    compile: async (_patch, batch) => ({
      batch,
      run: async (image) => {
        const voxels = image.length / batch;
        const windows = Array.from({ length: batch }, (_, n) => run(image.subarray(n * voxels, (n + 1) * voxels)));
        const all = new Float32Array(windows.reduce((sum, { length }) => sum + length, 0));
        windows.forEach((one, n) => all.set(one, n * one.length));
        return all;
      },
      dispose: () => undefined,
    }),
    ...changes,
  };
}

/**
 * A real network on ONNX Runtime, with fresh weights, a function of the seed. Not one with instance norm: of constant air
 * it makes the rounding of a sum, a million times over.
 */
export function realModel(
  seed: number,
  {
    classes,
    patch,
    ...where
  }: { classes: readonly LabelClass[]; patch: Size3; memory?: 'card'; windowsAtOnce?: number },
): LoadedModel {
  const network = networkSchema.parse({ name: 'unet3d', rootFilters: 2 });
  const weights = new Map<string, NamedTensor>();
  let at = 1000 * seed;
  for (const [name, { node, initializer: start }] of predictionGraph(network, classes.length, patch, 1).variables) {
    const length = node.shape.reduce((product, n) => product * n, 1);
    const next = (): number => (start.kind === 'constant' ? start.value : start.sd * 1.4 * Math.sin(++at * 12.9898));
    weights.set(name, { shape: node.shape, data: Float32Array.from({ length }, next) });
  }
  const metadata = metadataOf({ classes, patch, overlap: [patch[0] / 2, patch[1] / 2, patch[2] / 2] });
  const file = { file: `${seed}.onnx`, sha256: String(seed), weightsSha256: String(seed) };
  const runtime = { ...onnxRuntime, ...where };
  return modelOn({ name: file.file, file, metadata, network, weights }, { runtime, precision: 'float32' });
}
