/**
 * What `predict` can do beyond the plain sliding window: ensembles, mirroring, post-processing. Flags in, options of
 * `predictScan` and a record for the sidecar out. Classes are named by value or by name, as the model has them.
 */
import {
  ensembleOf,
  type LoadedModel,
  type ModelDevice,
  loadModel,
  type MirrorAxis,
  type PostProcessing,
  type PredictOptions,
} from '@quickcolumn/predict';
import type { LabelClass } from '@quickcolumn/volume';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Command, InvalidArgumentError } from 'commander';
import { modelFilesOf } from './compare/ensemble-folder.js';
import { exists } from './outputs.js';

/** A class as the user names it, and the number behind its `=`. */
interface ClassArgument {
  readonly name: string;
  readonly number?: number;
}

export interface ExtraFlags {
  readonly gaussian?: boolean;
  readonly mirror?: readonly MirrorAxis[];
  readonly keepLargest?: readonly ClassArgument[];
  readonly minimumVolume?: readonly ClassArgument[];
  readonly fillHoles?: readonly ClassArgument[];
}

export type ExtraOptions = Pick<PredictOptions, 'mirror' | 'postProcessing'>;

export function withExtraFlags(command: Command): Command {
  return command
    .option('--mirror <axes>', 'average over windows mirrored along x (left-right), y, z; x,y,z for all', mirrorAxes)
    .option('--keep-largest <classes>', 'keep the largest component of a class, or with =N the N largest', classList)
    .option(
      '--minimum-volume <classes>',
      'drop components of a class below this volume: infection=0.05 (ml)',
      classList,
    )
    .option('--fill-holes <classes>', 'fill background that a class encloses', classList);
}

/** Loads one model or an ensemble. @throws ModelError, FileError, InputError; `usage` when models do not fit together */
export async function loadModels(text: string, device: ModelDevice): Promise<LoadedModel> {
  // A comma may be part of a file's name.
  const named = (await exists(text)) ? [text] : text.split(',').filter((path) => path !== '');
  const models: LoadedModel[] = [];
  for (const path of (await Promise.all(named.map(modelFilesOf))).flat()) models.push(await loadModel(path, device));
  return ensembleOf(models);
}

/** The options that were asked for, checked against the model's classes before any scan is read. */
export function extraOptions(flags: ExtraFlags, classes: readonly LabelClass[]): ExtraOptions {
  const valueOf = (flag: string, { name }: ClassArgument): number => {
    const found = classes.find((one) => String(one.value) === name || one.name.toLowerCase() === name.toLowerCase());
    if (found !== undefined && found.value !== 0) return found.value;
    const known = classes.slice(1).map((one) => `${one.value} or '${one.name}'`);
    throw new QuickcolumnError('usage', `${flag}: '${name}' is no class of the model; use ${known.join(', ')}`);
  };
  const { mirror, keepLargest, minimumVolume, fillHoles } = flags;
  const postProcessing: PostProcessing = {
    ...(keepLargest && {
      keepLargest: keepLargest.map((one) => {
        const { number = 1 } = one;
        if (!Number.isInteger(number) || number < 1)
          throw new QuickcolumnError('usage', `--keep-largest: ${one.name}=${number}; expected a whole number from 1`);
        return { value: valueOf('--keep-largest', one), components: number };
      }),
    }),
    ...(minimumVolume && {
      minimumVolume: minimumVolume.map((one) => {
        const { number = 0 } = one;
        if (number <= 0)
          throw new QuickcolumnError(
            'usage',
            `--minimum-volume: ${one.name} needs a volume in ml, as ${one.name}=0.05`,
          );
        return { value: valueOf('--minimum-volume', one), volumeMl: number };
      }),
    }),
    ...(fillHoles && { fillHoles: fillHoles.map((one) => valueOf('--fill-holes', one)) }),
  };
  return {
    ...(mirror && { mirror }),
    ...(Object.keys(postProcessing).length > 0 && { postProcessing }),
  };
}

function mirrorAxes(text: string): MirrorAxis[] {
  const axes = text.split(',').map((part) => part.trim());
  if (!axes.every(isAxis)) throw new InvalidArgumentError('Expected axes separated by commas, for example x or x,y,z.');
  return [...new Set(axes)];
}

const isAxis = (text: string): text is MirrorAxis => text === 'x' || text === 'y' || text === 'z';

function classList(text: string): ClassArgument[] {
  return text.split(',').map((part) => {
    const [name, number, ...rest] = part.split('=').map((piece) => piece.trim());
    if (name === '' || rest.length > 0 || (number !== undefined && (number === '' || !Number.isFinite(Number(number)))))
      throw new InvalidArgumentError(`'${part}': expected a class, or class=number, for example infection=0.05.`);
    return number === undefined ? { name } : { name, number: Number(number) };
  });
}
