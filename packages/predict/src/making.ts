/**
 * Whether a mask that is there was made as one that is asked for would be: by the same weights, on the same runtime in the
 * same precision, with the same window and options. Its sidecar tells; versions of programs are not compared.
 */
import { defaultMinimumLesionMl } from '@quickcolumn/measure';
import type { LoadedModel, ModelFile } from './model/loaded-model.js';
import { type PredictOptions, resolveWindow } from './predict.js';
import { describeOptions, type MaskSidecar } from './sidecar.js';

/** What decides the voxels of a mask and the numbers of its sidecar, beside the scan. */
export interface MaskMaking
  extends Pick<PredictOptions, 'patch' | 'overlap' | 'weighting' | 'mirror' | 'postProcessing'> {
  readonly minimumLesionMl?: number | undefined;
}

/**
 * The first thing that differs, for people: `another model`; undefined where nothing does.
 * @param sidecar JSON of a file, unchecked
 * @throws QuickcolumnError `usage` for a window that the model does not take
 */
export function makingDifference(sidecar: unknown, model: LoadedModel, making: MaskMaking): string | undefined {
  if (!isSidecar(sidecar)) return 'no sidecar of this version of quickcolumn';
  const { runtime, window, quantities } = sidecar;
  const files: readonly (Partial<ModelFile> | null)[] = Array.isArray(sidecar.ensemble)
    ? (sidecar.ensemble as ModelFile[])
    : [sidecar.model];
  const unchanged = { removedVoxels: 0, filledVoxels: 0 };
  const { postProcessing, ...options } = sidecar.options ?? {};
  const made = { ...options, ...(postProcessing && { postProcessing: { ...postProcessing, ...unchanged } }) };
  const smallest = making.minimumLesionMl ?? defaultMinimumLesionMl;
  const compared: readonly (readonly [what: string, told: unknown, asked: unknown])[] = [
    ['another model', files.map(contentsOf), model.files.map(contentsOf)],
    ['another runtime', runtime.name, model.runtime.name],
    ['another precision', runtime.precision, model.runtime.precision],
    ['another window', [window.patch, window.overlap], Object.values(resolveWindow(model, making))],
    ['other options', made, describeOptions(making, unchanged)],
    ['another smallest lesion', quantities?.minimumLesionMl ?? smallest, smallest],
  ];
  return compared.find(([, told, asked]) => canonical(told) !== canonical(asked))?.[0];
}

/** A model of another framework is what its settings say, too. */
const contentsOf = (file: Partial<ModelFile> | null): unknown => [
  file?.sha256,
  file?.weightsSha256,
  file?.settingsSha256,
];

/** As far as it is looked at here. */
function isSidecar(value: unknown): value is MaskSidecar {
  const { format, version, model, runtime, window } = (value ?? {}) as Partial<Record<keyof MaskSidecar, unknown>>;
  const groups = [model, runtime, window].every((group) => typeof group === 'object' && group !== null);
  return format === 'quickcolumn-mask' && version === 2 && groups;
}

/** JSON in which the order of keys means nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
