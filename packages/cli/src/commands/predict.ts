/** `quickcolumn predict`: scans and a model file in, masks on the scans' own grids and their sidecars out. */
import { rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { hashFile, readVolume, writeFileAtomic, writeNifti, makeFolder } from '@quickcolumn/io';
import {
  type CompiledModel,
  describeMask,
  formatBytes,
  type LoadedModel,
  loadModel,
  predictScan,
  resolveWindow,
} from '@quickcolumn/predict';
import type { Size3, Volume } from '@quickcolumn/volume';
import { Command } from 'commander';
import { size3 } from '../arguments.js';
import { type ScanFile, scansFrom } from '../cases.js';
import { interruptSignal, throwIfInterrupted } from '../interrupt.js';
import { checkOutputFile, checkOutputFolder, OutputError } from '../outputs.js';
import { formatSeconds, note, print, progressLine, secondsSince } from '../terminal.js';

export interface PredictFlags {
  readonly model: string;
  readonly out: string;
  readonly probabilities?: boolean;
  readonly gaussian?: boolean;
  readonly patch?: Size3;
  readonly overlap?: Size3;
  readonly ignoreMemory?: boolean;
  readonly force?: boolean;
}

interface Target extends ScanFile {
  readonly maskPath: string;
  readonly sidecarPath: string;
}

const maskExtension = /\.nii(\.gz)?$/i;

export function predictCommand(): Command {
  return new Command('predict')
    .description('segment scans with a trained model')
    .argument('<input...>', 'scans (NIfTI, NRRD, MetaImage), or folders of them')
    .requiredOption('--model <model.onnx>', 'model file, as train writes it')
    .requiredOption('--out <path>', 'folder for the masks, or a .nii.gz file for a single scan')
    .option('--probabilities', 'also write the probability of each class (float32 NIfTI)')
    .option('--gaussian', 'weigh the centre of each window more than its rim')
    .option('--patch <x,y,z>', 'window in voxels, multiples of 16 (default: the model’s)', size3)
    .option('--overlap <x,y,z>', 'overlap of windows in voxels (default: the model’s)', size3)
    .option('--ignore-memory', 'start even if the estimate is above the available memory')
    .option('--force', 'replace existing masks')
    .addHelpText(
      'after',
      `
Beside each mask NAME.nii.gz a NAME.json names every class and the model.

Examples:
  quickcolumn predict --model run/model.onnx scan.nii.gz --out mask.nii.gz
  quickcolumn predict --model run/model.onnx ct/ --out masks/ --probabilities`,
    )
    .action(async (inputs: string[], flags: PredictFlags) => {
      const masks = await predictFiles(inputs, flags);
      for (const mask of masks) print(mask);
    });
}

/** Predicts every scan of the given files and folders; returns the paths of the masks. */
export async function predictFiles(inputs: readonly string[], flags: PredictFlags): Promise<string[]> {
  return await predictScans(await scansFrom(inputs), flags);
}

/** Predicts named scans, NAME.nii.gz each. Everything that can be checked is, before the first window. */
export async function predictScans(scans: readonly ScanFile[], flags: PredictFlags): Promise<string[]> {
  const targets = await chooseTargets(scans, flags);
  const model = await loadModel(flags.model);
  const { patch } = resolveWindow(model, flags);
  const sha256 = await hashFile(flags.model);
  const compiled = await model.compile(patch, 1);
  try {
    for (const target of targets) {
      throwIfInterrupted();
      await predictFile(target, { model, compiled, sha256, flags });
    }
  } finally {
    await compiled.dispose();
  }
  return targets.map(({ maskPath }) => maskPath);
}

async function predictFile(
  target: Target,
  context: { model: LoadedModel; compiled: CompiledModel; sha256: string; flags: PredictFlags },
): Promise<void> {
  const { model, compiled, sha256, flags } = context;
  const { classes } = model.metadata.preparation;
  const start = performance.now();
  const scan = await readVolume(target.path);
  const line = progressLine(target.name);
  const folder = dirname(target.maskPath);
  const probabilityNames = flags.probabilities
    ? classes.map(({ value, name }) => join('probabilities', `${target.name}_${value}_${fileSafe(name)}.nii.gz`))
    : undefined;
  const { header } = scan;
  const written: string[] = [];
  const write = async (path: string, volume: Volume, description: string): Promise<void> => {
    await makeFolder(dirname(path));
    await writeNifti(path, volume, { like: header, force: true, description });
    written.push(path);
  };
  try {
    const result = await predictScan(model, scan, {
      patch: flags.patch,
      overlap: flags.overlap,
      weighting: flags.gaussian ? 'gaussian' : 'uniform',
      name: target.path,
      availableBytes: flags.ignoreMemory ? Number.POSITIVE_INFINITY : undefined,
      compiled,
      signal: interruptSignal,
      onEstimate: ({ windows, preparedSize, peakBytes }) =>
        note(`${target.name}: ${preparedSize.join('×')} voxels, ${windows} windows, about ${formatBytes(peakBytes)}`),
      onProgress: ({ done, total }) => line.update(`window ${done} of ${total}`, done / total),
      onProbability:
        probabilityNames && ((c, volume) => write(join(folder, probabilityNames[c]), volume, 'probability')),
    });
    const sidecar = describeMask(result.labels, model.metadata, {
      mask: basename(target.maskPath),
      scan: { name: basename(target.path), scale: result.scale, size: result.labels.size },
      model: { file: basename(flags.model), sha256 },
      window: resolveWindow(model, flags),
      probabilities: probabilityNames,
    });
    // The mask last: where there is a mask, all that belongs to it is there.
    await makeFolder(folder);
    await writeFileAtomic(target.sidecarPath, `${JSON.stringify(sidecar, null, 2)}\n`);
    written.push(target.sidecarPath);
    await write(target.maskPath, result.labels, 'quickcolumn labels');
  } catch (error) {
    line.end();
    for (const path of written) await rm(path, { force: true });
    throw error;
  }
  line.end(`${target.maskPath} in ${formatSeconds(secondsSince(start))}`);
}

async function chooseTargets(scans: readonly ScanFile[], flags: PredictFlags): Promise<Target[]> {
  const { out, force = false } = flags;
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const single = scans.length === 1 && maskExtension.test(out) && !isFolder;
  if (!single) await checkOutputFolder(out, true);
  const targets = scans.map((scan): Target => {
    const maskPath = single ? out : join(out, `${scan.name}.nii.gz`);
    return { ...scan, maskPath, sidecarPath: maskPath.replace(maskExtension, '.json') };
  });
  const inputs = new Set(scans.map(({ path }) => resolve(path)));
  for (const { maskPath, sidecarPath } of targets) {
    if (inputs.has(resolve(maskPath))) {
      throw new OutputError(`${maskPath} is an input scan; choose another --out`, maskPath);
    }
    await checkOutputFile(maskPath, force);
    await checkOutputFile(sidecarPath, force);
  }
  return targets;
}

function fileSafe(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
