/**
 * Settings to fill in for an ONNX model of another framework: what the file itself tells stands there already, the rest is
 * marked. A mark that was left is an error, so a template is never taken for an answer.
 */
import { foreignSettingsVersion } from '@quickcolumn/pipeline';
import type { ModelSignature, TensorSignature } from '@quickcolumn/runtimes';

/** How every text begins that somebody has to replace. */
const mark = 'FILL IN: ';

/** Classes that a template lists at most. */
const mostListed = 64;

/** The template as JSON text. */
export function settingsTemplate({ inputs, outputs }: ModelSignature): string {
  const [input] = inputs;
  const [output] = outputs;
  const names = {
    ...(inputs.length > 1 ? { inputName: `${mark}${choice(inputs)}` } : {}),
    ...(outputs.length > 1 ? { outputName: `${mark}${choice(outputs)}` } : {}),
  };
  const lengths = input?.shape?.slice(2) ?? [];
  const channels = output?.shape?.[1];
  const count = typeof channels === 'number' ? Math.min(channels, mostListed) : 2;
  const template = {
    format: 'quickcolumn-foreign-model',
    version: foreignSettingsVersion,
    ...names,
    output: {
      kind:
        channels === 1
          ? `${mark}sigmoid; beside it "of": "logits" or "probabilities" and "threshold": 0.5`
          : `${mark}logits (no softmax in the model), probabilities, or sigmoid (then no class of value 0 below)`,
    },
    axes: `${mark}directions of the tensor's three spatial axes: SPL for [N, C, z, y, x], RAS for MONAI's [N, C, x, y, z]`,
    spacingMm: `${mark}along left-right, front-back, feet-head, such as [1.5, 1.5, 2]; null for each scan's own`,
    intensity: {
      kind: `${mark}ct (clipHu, mean, sd), range (fromHu, to, clip), z-score (clipHu or null) or none`,
    },
    padding: 0,
    ...patchOf(lengths),
    classes: Array.from({ length: count }, (_, channel) =>
      channels !== 1 && channel === 0
        ? { value: 0, name: 'background' }
        : { value: channels === 1 ? 1 : channel, name: `${mark}channel ${channel}` },
    ),
  };
  return JSON.stringify(template, null, 2);
}

/** Equal fixed lengths need no axes to be told. */
function patchOf(lengths: readonly (number | string | undefined)[]): Record<'patch' | 'overlap', unknown> {
  const [first] = lengths;
  if (lengths.length === 3 && typeof first === 'number' && lengths.every((length) => length === first)) {
    return { patch: [first, first, first], overlap: [0, 0, 0].map(() => Math.floor(first / 2)) };
  }
  const takes = `the tensor's spatial axes are [${lengths.map(dimension).join(', ')}]`;
  return {
    patch: `${mark}voxels along left-right, front-back, feet-head; ${takes}`,
    overlap: `${mark}of neighbouring windows, such as half of the patch`,
  };
}

const dimension = (length: number | string | undefined): string =>
  typeof length === 'number' ? String(length) : 'any';

const choice = (tensors: readonly TensorSignature[]): string => tensors.map(describeTensor).join(' or ');

/** `input [1, 1, any, any, any] float32`, as messages tell it. */
export function describeTensor({ name, type, shape }: TensorSignature): string {
  const size = shape === undefined ? 'of unknown shape' : `[${shape.map(dimension).join(', ')}]`;
  return `${name} ${size} ${type}`;
}

/** Paths of values that are still to be filled in. */
export function unfilled(value: unknown, path: string = ''): string[] {
  if (typeof value === 'string') return value.startsWith(mark.trim()) ? [path] : [];
  if (Array.isArray(value)) return value.flatMap((one, index) => unfilled(one, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => unfilled(one, path === '' ? key : `${path}.${key}`));
}
