/** `quickcolumn predict`: scans and a model file in, masks on the scans' own grids and their sidecars out. */
import { rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { encodeSegmentation, parseRepair, type SeriesRepair } from '@quickcolumn/dicom';
import { writeFileAtomic, writeNifti, makeFolder } from '@quickcolumn/io';
import {
  type CompiledModel,
  formatBytes,
  type LoadedModel,
  resolveWindow,
  segment,
} from '@quickcolumn/predict';
import type { Size3, Volume } from '@quickcolumn/volume';
import { Command, InvalidArgumentError } from 'commander';
import {
  autotuneOption,
  nameList,
  positiveNumber,
  precisionOption,
  runtimeOption,
  size3,
  wholeNumber,
} from '../arguments.js';
import { InputError } from '../cases.js';
import { chooseDevice, type DeviceRequest } from '../device.js';
import { interruptSignal, throwIfInterrupted } from '../interrupt.js';
import { checkOutputFile, checkOutputFolder, OutputError } from '../outputs.js';
import { type ScanInput, scanInputs } from '../scan-inputs.js';
import {
  type ExtraFlags,
  extraOptions,
  type ExtraOptions,
  loadModels,
  withExtraFlags,
} from '../prediction-options.js';
import { formatSeconds, note, print, progressLine, secondsSince } from '../terminal.js';

export interface PredictFlags extends ExtraFlags, DeviceRequest {
  /** A file, or the files of an ensemble separated by commas. */
  readonly model: string;
  readonly out: string;
  readonly probabilities?: boolean;
  readonly gaussian?: boolean;
  readonly minimumLesion?: number;
  readonly patch?: Size3;
  readonly overlap?: Size3;
  readonly threads?: number;
  readonly ignoreMemory?: boolean;
  readonly force?: boolean;
  readonly format?: readonly MaskFormat[];
  readonly series?: string;
  readonly repair?: SeriesRepair;
  /** Version of the program, for DICOM objects. */
  readonly version?: string;
}

type MaskFormat = 'nifti' | 'seg';

interface Target extends ScanInput {
  /** NIfTI file, when asked for. */
  readonly maskPath?: string;
  /** DICOM segmentation, when asked for. */
  readonly segPath?: string;
  readonly sidecarPath: string;
}

const maskExtension = /\.nii(\.gz)?$/i;
const segExtension = /\.dcm$/i;

export function predictCommand(): Command {
  const predict = new Command('predict')
    .description('segment scans with a trained model')
    .argument('<input...>', 'scans (NIfTI, NRRD, MetaImage) or folders of them; DICOM folders, zip archives or files')
    .requiredOption(
      '--model <model.onnx>',
      'model file, as train writes it, or its run folder; several, separated by commas, are averaged',
    )
    .requiredOption('--out <path>', 'folder for the masks, or a .nii.gz (or .dcm) file for a single scan')
    .option('--format <list>', 'nifti, seg (DICOM segmentation, for DICOM scans) or both: nifti,seg', maskFormats)
    .option('--series <uid or number>', 'which DICOM series, where a folder holds several usable ones')
    .option('--repair <list>', 'repair a DICOM series, e.g. missing=interpolate,tilt=shear', parseRepair)
    .option('--probabilities', 'also write the probability of each class (float32 NIfTI)')
    .option('--minimum-lesion <ml>', 'smallest lesion that is counted in NAME.json (default: 0.05)', positiveNumber)
    .option('--gaussian', 'weigh the centre of each window more than its rim')
    .option('--patch <x,y,z>', 'window in voxels, multiples of 16 (default: the model’s)', size3)
    .option('--overlap <x,y,z>', 'overlap of windows in voxels (default: the model’s)', size3)
    .addOption(runtimeOption())
    .addOption(precisionOption())
    .addOption(autotuneOption())
    .option('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1))
    .option('--ignore-memory', 'start even if the estimate is above the available memory')
    .option('--force', 'replace existing masks')
    .addHelpText(
      'after',
      `
Beside each mask NAME.nii.gz a NAME.json names every class and the model, and tells volume, infected share of each lung,
number and mean HU of the lesions. A DICOM segmentation NAME.seg.dcm holds what
identifies the patient in the source, so that archives can file it; nothing else that is written does.

Examples:
  quickcolumn predict --model run/model.onnx scan.nii.gz --out mask.nii.gz
  quickcolumn predict --model run/model.onnx ct/ --out masks/ --probabilities
  quickcolumn predict --model run/model.onnx dicom-folder/ --out masks/ --format nifti,seg
  quickcolumn predict --model fold1/model.onnx,fold2/model.onnx ct/ --out masks/ --mirror x,y,z
  quickcolumn predict --model run/model.onnx ct/ --out masks/ --keep-largest 1,2 --minimum-volume infection=0.05`,
    )
    .action(async (inputs: string[], flags: PredictFlags, command: Command) => {
      const masks = await predictFiles(inputs, { ...flags, version: command.parent?.version() });
      for (const mask of masks) print(mask);
    });
  return withExtraFlags(predict);
}

/** Predicts every scan of the given files and folders; returns the paths of the masks. */
export async function predictFiles(inputs: readonly string[], flags: PredictFlags): Promise<string[]> {
  return await predictScans(await scanInputs(inputs, flags), flags);
}

/** Predicts named scans, NAME.nii.gz each. Everything that can be checked is, before the first window. */
export async function predictScans(
  scans: readonly ScanInput[],
  flags: PredictFlags,
  /** Called after each scan with the wall time from its file to its mask. */
  onScan?: (name: string, seconds: number) => void,
): Promise<string[]> {
  const targets = await chooseTargets(scans, flags);
  const device = await chooseDevice(flags);
  const model = await loadModels(flags.model, {
    ...device,
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
  });
  const { patch } = resolveWindow(model, flags);
  const extra = extraOptions(flags, model.metadata.preparation.classes);
  const compiled = await model.compile(patch, model.windowsAtOnce);
  try {
    for (const target of targets) {
      throwIfInterrupted();
      const start = performance.now();
      await predictFile(target, { model, compiled, extra, flags });
      onScan?.(target.name, secondsSince(start));
    }
  } finally {
    await compiled.dispose();
  }
  return targets.flatMap(({ maskPath, segPath }) => [maskPath, segPath].filter((path) => path !== undefined));
}

async function predictFile(
  target: Target,
  context: {
    model: LoadedModel;
    compiled: CompiledModel;
    extra: ExtraOptions;
    flags: PredictFlags;
  },
): Promise<void> {
  const { model, compiled, extra, flags } = context;
  const { classes } = model.metadata.preparation;
  const shown = target.shownName ?? target.name;
  const start = performance.now();
  const { volume: scan, header, dicom, close } = await target.load();
  for (const text of dicom?.notes ?? []) note(`${shown}: ${text}`);
  const line = progressLine(shown);
  const folder = dirname(target.sidecarPath);
  const { maskPath, segPath } = target;
  const probabilityNames = flags.probabilities
    ? classes.map(({ value, name }) => join('probabilities', `${target.name}_${value}_${fileSafe(name)}.nii.gz`))
    : undefined;
  const written: string[] = [];
  const write = async (path: string, volume: Volume, description: string): Promise<void> => {
    await makeFolder(dirname(path));
    await writeNifti(path, volume, { like: header, force: true, description });
    written.push(path);
  };
  try {
    const { labels, sidecar } = await segment(model, scan, {
      patch: flags.patch,
      overlap: flags.overlap,
      weighting: flags.gaussian ? 'gaussian' : 'uniform',
      ...extra,
      name: target.path,
      files: {
        scan: basename(target.path),
        mask: basename(maskPath ?? segPath ?? ''),
        probabilities: probabilityNames,
      },
      program: { name: 'quickcolumn', version: flags.version ?? '0' },
      minimumLesionMl: flags.minimumLesion,
      availableBytes: flags.ignoreMemory ? Number.POSITIVE_INFINITY : undefined,
      compiled,
      signal: interruptSignal,
      onEstimate: ({ windows, preparedSize, peakBytes }) =>
        note(`${shown}: ${preparedSize.join('×')} voxels, ${windows} windows, about ${formatBytes(peakBytes)}`),
      onProgress: ({ done, total }) => line.update(`window ${done} of ${total}`, done / total),
      onProbability:
        probabilityNames && ((c, volume) => write(join(folder, probabilityNames[c]), volume, 'probability')),
    });
    // The mask last: where there is a mask, all that belongs to it is there.
    await makeFolder(folder);
    await writeFileAtomic(target.sidecarPath, `${JSON.stringify(sidecar, null, 2)}\n`);
    written.push(target.sidecarPath);
    if (segPath !== undefined && dicom !== undefined) {
      const bytes = await encodeSegmentation(labels, dicom, {
        classes: classes.filter(({ value }) => value !== 0),
        algorithm: `Quickcolumn ${model.metadata.network.name}`,
        version: flags.version ?? '0',
      });
      await writeFileAtomic(segPath, bytes);
      written.push(segPath);
    }
    if (maskPath !== undefined) await write(maskPath, labels, 'quickcolumn labels');
  } catch (error) {
    line.end();
    for (const path of written) await rm(path, { force: true });
    throw error;
  } finally {
    close();
  }
  const mask = target.shownName === undefined ? (maskPath ?? segPath) : 'mask';
  line.end(`${mask} in ${formatSeconds(secondsSince(start))}`);
}

async function chooseTargets(scans: readonly ScanInput[], flags: PredictFlags): Promise<Target[]> {
  const { out, force = false, format = ['nifti'] } = flags;
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const wantsNifti = format.includes('nifti');
  const wantsSeg = format.includes('seg');
  const fileExtension = wantsNifti ? maskExtension : segExtension;
  const single = scans.length === 1 && fileExtension.test(out) && !isFolder;
  if (!single) await checkOutputFolder(out, true);
  const targets = scans.map((scan): Target => {
    if (wantsSeg && scan.kind !== 'dicom') {
      throw new InputError(
        `${scan.path}: a DICOM segmentation refers to the images of a DICOM series; use --format nifti for NIfTI scans`,
      );
    }
    const base = single ? out.replace(fileExtension, '') : join(out, scan.name);
    return {
      ...scan,
      ...(wantsNifti ? { maskPath: single ? out : `${base}.nii.gz` } : {}),
      ...(wantsSeg ? { segPath: single && !wantsNifti ? out : `${base}.seg.dcm` } : {}),
      sidecarPath: `${base}.json`,
    };
  });
  const inputs = new Set(scans.map(({ path }) => resolve(path)));
  for (const { maskPath, segPath, sidecarPath } of targets) {
    for (const path of [maskPath, segPath, sidecarPath]) {
      if (path === undefined) continue;
      if (inputs.has(resolve(path))) throw new OutputError(`${path} is an input scan; choose another --out`, path);
      await checkOutputFile(path, force);
    }
  }
  return targets;
}

function maskFormats(text: string): MaskFormat[] {
  return nameList(text).map((name) => {
    if (name !== 'nifti' && name !== 'seg') throw new InvalidArgumentError('Expected nifti, seg or nifti,seg.');
    return name;
  });
}

function fileSafe(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
