/**
 * Several models as one: their probabilities are averaged, window by window (system specification, section 7).
 * Folds of one training, or different networks; what they must share is the preparation, because one prepared scan
 * goes into all of them, and with it the classes.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { LoadedModel } from './model-types.js';

export interface NamedModel {
  /** What messages call it: its file. */
  readonly name: string;
  readonly model: LoadedModel;
}

/**
 * The mean of the models; its metadata (patch, overlap) are the first one's.
 * @throws QuickcolumnError `usage` when there is none or a model was trained on scans prepared in another way.
 */
export function ensembleOf(members: readonly NamedModel[]): LoadedModel {
  const [first, ...others] = members;
  if (first === undefined) throw new QuickcolumnError('usage', 'an ensemble needs at least one model');
  for (const other of others) requireSamePreparation(first, other);
  if (others.length === 0) return first.model;
  const models = members.map(({ model }) => model);
  const estimates = models.map((model) => model.estimateBytes?.bind(model));
  return {
    metadata: first.model.metadata,
    estimateBytes: estimates.every((estimate) => estimate !== undefined)
      ? // All are compiled at the same time, and keep what they have allocated.
        (patch, batch) => estimates.reduce((sum, estimate) => sum + estimate(patch, batch), 0)
      : undefined,
    async compile(patch, batch) {
      const compiled = await Promise.all(models.map((model) => model.compile(patch, batch)));
      return {
        async run(image) {
          const mean = new Float32Array(image.length * first.model.metadata.preparation.classes.length);
          for (const one of compiled) {
            const probabilities = await one.run(image);
            for (let i = 0; i < mean.length; i++) mean[i] += probabilities[i] / compiled.length;
          }
          return mean;
        },
        async dispose() {
          for (const one of compiled) await one.dispose();
        },
      };
    },
  };
}

function requireSamePreparation(first: NamedModel, other: NamedModel): void {
  const [a, b] = [first, other].map(({ model }) => model.metadata.preparation);
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof typeof a>) {
    // What the training left out changes no scan.
    if (key === 'ignoreLabel') continue;
    // Colours are for pictures.
    const text = (preparation: typeof a): string =>
      JSON.stringify(
        key === 'classes' ? preparation.classes.map(({ color: _color, ...rest }) => rest) : preparation[key],
      ) ?? 'nothing';
    if (text(a) === text(b)) continue;
    throw new QuickcolumnError(
      'usage',
      `${other.name} cannot join ${first.name}: its preparation.${key} is ${text(b)}, there it is ${text(a)}; ` +
        'an ensemble needs models of the same preparation',
      { key },
    );
  }
}
