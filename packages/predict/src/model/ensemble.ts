/**
 * Several models as one: their probabilities are averaged, window by window (system specification, section 7).
 * Folds of one training, or different networks; what they must share is the preparation, because one prepared scan
 * goes into all of them, and with it the classes, and what executes them.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { LoadedModel } from './loaded-model.js';

/**
 * The mean of the models; its metadata (patch, overlap) are the first one's, its files are those of all.
 * @throws QuickcolumnError `usage` when there is none, a model was trained on scans prepared in another way, or they are
 *   on different runtimes.
 */
export function ensembleOf(models: readonly LoadedModel[]): LoadedModel {
  const [first, ...others] = models;
  if (first === undefined) throw new QuickcolumnError('usage', 'an ensemble needs at least one model');
  if (others.length === 0) return first;
  for (const other of others) {
    requireSame(first, other, 'format', ({ metadata }) => metadata.format);
    requireSamePreparation(first, other);
    for (const key of ['axes', 'fixedPatch', 'threshold'] as const) {
      requireSame(first, other, key, ({ metadata }) => foreignText(metadata, key));
    }
    requireSame(first, other, 'runtime', ({ runtime }) => JSON.stringify(runtime));
  }
  const estimates = models.map((model) => model.estimateBytes?.bind(model));
  return {
    name: models.map(({ name }) => name).join(', '),
    files: models.flatMap(({ files }) => files),
    metadata: first.metadata,
    runtime: first.runtime,
    windowsAtOnce: Math.min(...models.map(({ windowsAtOnce }) => windowsAtOnce)),
    estimateBytes: estimates.every((estimate) => estimate !== undefined)
      ? // All are compiled at the same time, and keep what they have allocated.
        (patch, batch) => {
          const all = estimates.map((estimate) => estimate(patch, batch));
          const sum = (key: 'hostBytes' | 'cardBytes'): number => all.reduce((bytes, one) => bytes + one[key], 0);
          return { hostBytes: sum('hostBytes'), cardBytes: sum('cardBytes') };
        }
      : undefined,
    async compile(patch, batch) {
      const compiled = await Promise.all(models.map((model) => model.compile(patch, batch)));
      return {
        batch,
        members: compiled,
        async run(image) {
          const mean = new Float32Array(image.length * first.metadata.preparation.classes.length);
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

function requireSamePreparation(first: LoadedModel, other: LoadedModel): void {
  const [a, b] = [first, other].map(({ metadata }) => metadata.preparation);
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    // How the label files of the training were read changes no scan.
    if (key === 'ignoreLabel' || key === 'labels') continue;
    requireSame(first, other, `preparation.${key}`, ({ metadata: { preparation } }) =>
      key === 'classes'
        ? // Colours are for pictures, roles for what is measured in the mask.
          JSON.stringify(preparation.classes.map(({ value, name, mirror }) => ({ value, name, mirror })))
        : (JSON.stringify(new Map<string, unknown>(Object.entries(preparation)).get(key)) ?? 'nothing'),
    );
  }
}

/** Windows are laid out, and voxels decided, once for all of them. */
function foreignText(metadata: LoadedModel['metadata'], key: 'axes' | 'fixedPatch' | 'threshold'): string {
  if (metadata.format !== 'quickcolumn-foreign-model') return '';
  if (key !== 'threshold') return JSON.stringify(metadata[key]);
  return metadata.output.kind === 'sigmoid' ? String(metadata.output.threshold) : 'none';
}

function requireSame(first: LoadedModel, other: LoadedModel, what: string, textOf: (m: LoadedModel) => string): void {
  const [a, b] = [textOf(first), textOf(other)];
  if (a === b) return;
  throw new QuickcolumnError(
    'usage',
    `${other.name} cannot join ${first.name}: its ${what} is ${b}, there it is ${a}; an ensemble needs models of the ` +
      'same preparation, on the same runtime',
    { key: what },
  );
}
