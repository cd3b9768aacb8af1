import type { ModelMetadata } from '@quickcolumn/pipeline';
import { describe, expect, it } from 'vitest';
import { ensembleOf } from './ensemble.js';
import type { LoadedModel } from './model-types.js';

const metadata: ModelMetadata = {
  format: 'quickcolumn-model',
  version: 1,
  network: { name: 'unet3d', rootFilters: 4 },
  preparation: {
    intensity: 'window',
    clipHu: [-1250, 250],
    spacingMm: [2, 2, 4],
    classes: [
      { value: 0, name: 'background', color: [0, 0, 0] },
      { value: 1, name: 'tumour', color: [255, 0, 0] },
    ],
  },
  patch: [16, 16, 16],
  overlap: [8, 8, 8],
  training: {},
  notes: '',
  weightsSha256: 'abc',
};

/** Says the same probability of the tumour everywhere, from one buffer that it uses again. */
function constant(p: number, own: ModelMetadata = metadata): LoadedModel & { disposed: number } {
  const model = {
    metadata: own,
    disposed: 0,
    estimateBytes: () => 100,
    compile: async () => ({
      run: async (image: Float32Array) =>
        Float32Array.from({ length: 2 * image.length }, (_, i) => (i < image.length ? 1 - p : p)),
      dispose: () => {
        model.disposed++;
      },
    }),
  };
  return model;
}

describe('ensembleOf', () => {
  it('averages probabilities, adds memory and disposes every model', async () => {
    const models = [constant(0.2), constant(0.4), constant(0.9)];
    const ensemble = ensembleOf(models.map((model, i) => ({ name: `${i}.onnx`, model })));
    expect(ensemble.estimateBytes?.([16, 16, 16], 1)).toBe(300);
    const compiled = await ensemble.compile([16, 16, 16], 1);
    const probabilities = await compiled.run(new Float32Array(4));
    await compiled.dispose();
    for (let i = 0; i < 4; i++) {
      expect(probabilities[i]).toBeCloseTo(0.5, 6);
      expect(probabilities[4 + i]).toBeCloseTo(0.5, 6);
    }
    expect(models.map(({ disposed }) => disposed)).toEqual([1, 1, 1]);
  });

  it('one model is itself', () => {
    const model = constant(0.2);
    expect(ensembleOf([{ name: 'a', model }])).toBe(model);
    expect(() => ensembleOf([])).toThrow('an ensemble needs at least one model');
  });

  it('refuses a model of another preparation, and says what differs', () => {
    const { preparation } = metadata;
    const coarse = { ...metadata, preparation: { ...preparation, spacingMm: [3, 3, 5] as const } };
    const join = (other: ModelMetadata): LoadedModel =>
      ensembleOf([
        { name: 'a.onnx', model: constant(0.1) },
        { name: 'b.onnx', model: constant(0.1, other) },
      ]);
    expect(() => join(coarse)).toThrow(
      'b.onnx cannot join a.onnx: its preparation.spacingMm is [3,3,5], there it is [2,2,4]',
    );
    const [background, tumour] = preparation.classes;
    const named = { ...metadata, preparation: { ...preparation, classes: [background, { ...tumour, value: 2 }] } };
    expect(() => join(named)).toThrow(/preparation\.classes/);
    const painted = { ...tumour, color: [0, 9, 0] as const };
    expect(join({ ...metadata, preparation: { ...preparation, classes: [background, painted] } })).toBeDefined();
  });
});
