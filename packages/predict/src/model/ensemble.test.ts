import type { ModelMetadata } from '@quickcolumn/pipeline';
import { describe, expect, it } from 'vitest';
import { metadataOf, modelFrom } from '../model.test.helpers.js';
import { ensembleOf } from './ensemble.js';
import type { LoadedModel } from './loaded-model.js';

/** Says the same probability of the tumour everywhere. */
function constant(p: number, name = 'm.onnx', changes: Partial<LoadedModel> = {}): LoadedModel & { disposed: number } {
  const model = {
    ...modelFrom(() => new Float32Array()),
    name,
    files: [{ file: name, sha256: String(p), weightsSha256: 'abc' }],
    disposed: 0,
    estimateBytes: () => ({ hostBytes: 100, cardBytes: 7 }),
    compile: async (_patch: unknown, batch: number) => ({
      batch,
      run: async (image: Float32Array) =>
        Float32Array.from({ length: 2 * image.length }, (_, i) => (i < image.length ? 1 - p : p)),
      dispose: () => {
        model.disposed++;
      },
    }),
    ...changes,
  };
  return model;
}

describe('ensembleOf', () => {
  it('averages probabilities, adds memory, names all files and disposes every model', async () => {
    const models = [constant(0.2, 'a'), constant(0.4, 'b'), constant(0.9, 'c', { windowsAtOnce: 4 })];
    const ensemble = ensembleOf(models);
    expect(ensemble.estimateBytes?.([16, 16, 16], 1)).toEqual({ hostBytes: 300, cardBytes: 21 });
    expect(ensemble).toMatchObject({ files: [{ file: 'a' }, { file: 'b' }, { file: 'c' }], windowsAtOnce: 1 });
    const compiled = await ensemble.compile([16, 16, 16], 2);
    expect(compiled.batch).toBe(2);
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
    expect(ensembleOf([model])).toBe(model);
    expect(() => ensembleOf([])).toThrow('an ensemble needs at least one model');
  });

  it('refuses a model of another preparation or on another runtime, and says what differs', () => {
    const metadata = metadataOf();
    const { preparation } = metadata;
    const join = (other: Partial<LoadedModel>): LoadedModel =>
      ensembleOf([constant(0.1, 'a.onnx'), constant(0.1, 'b.onnx', other)]);
    const prepared = (changes: Partial<ModelMetadata['preparation']>): Partial<LoadedModel> => ({
      metadata: { ...metadata, preparation: { ...preparation, ...changes } },
    });
    expect(() => join(prepared({ spacingMm: [3, 3, 5] }))).toThrow(
      'b.onnx cannot join a.onnx: its preparation.spacingMm is [3,3,5], there it is [2,2,4]',
    );
    const [background, tumour] = preparation.classes;
    expect(() => join(prepared({ classes: [background, { ...tumour, value: 2 }] }))).toThrow(/preparation\.classes/);
    const { role: _role, ...plain } = tumour;
    expect(join(prepared({ classes: [background, { ...plain, color: [0, 9, 0] }] }))).toBeDefined();
    expect(() => join({ runtime: { name: 'other', version: '1', precision: 'float32' } })).toThrow(
      /b\.onnx cannot join a\.onnx: its runtime is .*other/,
    );
  });
});
