/** Scans and a model in, masks on the scans' own grids and their sidecars out. */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { assumptionsOf } from '@quickcolumn/cases';
import { checkSegmentable, encodeSegmentation, parseRepair } from '@quickcolumn/dicom';
import { makeFolder, writeFileAtomic, writeVolume } from '@quickcolumn/io';
import { type CompiledModel, formatBytes, type LoadedModel, resolveWindow, segment } from '@quickcolumn/predict';
import type { Volume } from '@quickcolumn/volume';
import type { JobContext } from '../context.js';
import type { PredictedFiles, PredictJob, PredictJobResult } from '../jobs/predict.js';
import { chooseDevice } from '../runtime/choose-device.js';
import { type ScanInput, scanInputs } from '../scans/scan-inputs.js';
import { formatSeconds } from '../text.js';
import { version } from '../version.js';
import { loadModels } from './load-models.js';
import { chooseTargets, type MaskTarget } from './mask-targets.js';
import { type WindowOptions, windowOptions } from './options.js';

/** Predicts every scan of the given files and folders. */
export async function runPrediction(
  { inputs, ...options }: PredictJob,
  context: JobContext,
): Promise<PredictJobResult> {
  const { series, repair } = options;
  const assume = assumptionsOf(options);
  const { signal } = context;
  const scans = await scanInputs(inputs, { series, assume, signal, ...(repair && { repair: parseRepair(repair) }) });
  return { scans: await predictScans(scans, options, context) };
}

export type ScanPredictionOptions = Omit<PredictJob, 'kind' | 'inputs'>;

/** Predicts named scans, NAME.nii.gz each unless another format is asked for. Everything that can be checked is, before the first window. */
export async function predictScans(
  scans: readonly ScanInput[],
  options: ScanPredictionOptions,
  context: JobContext,
): Promise<PredictedFiles[]> {
  const targets = await chooseTargets(scans, options);
  const device = await chooseDevice(options, context);
  const { threads } = options;
  const model = await loadModels(options.model, {
    ...device,
    ...(threads === undefined ? {} : { threads }),
  });
  const { patch } = resolveWindow(model, options);
  const windows = windowOptions(options, model.metadata.preparation.classes);
  const compiled = await model.compile(patch, model.windowsAtOnce);
  const written: PredictedFiles[] = [];
  try {
    for (const target of targets) {
      context.throwIfInterrupted();
      written.push(await predictFile(target, { model, compiled, windows, options }, context));
    }
  } finally {
    await compiled.dispose();
  }
  return written;
}

interface Prediction {
  readonly model: LoadedModel;
  readonly compiled: CompiledModel;
  readonly windows: WindowOptions;
  readonly options: ScanPredictionOptions;
}

async function predictFile(
  target: MaskTarget,
  { model, compiled, windows, options }: Prediction,
  context: JobContext,
): Promise<PredictedFiles> {
  const { classes } = model.metadata.preparation;
  const { maskPaths, segPath, sidecarPath } = target;
  const masks = [...maskPaths, segPath].filter((path) => path !== undefined);
  const shown = target.shownName ?? target.name;
  const start = performance.now();
  const { volume: scan, properties, notes, dicom, close } = await target.load();
  const note = (text: string): void => context.note(`${shown}: ${text}`);
  notes.forEach(note);
  const task = context.begin('predict', shown);
  const folder = dirname(sidecarPath);
  const probabilityNames = options.probabilities
    ? classes.map(({ value, name }) => join('probabilities', `${target.name}_${value}_${fileSafe(name)}.nii.gz`))
    : undefined;
  const written: string[] = [];
  const write = async (path: string, volume: Volume, description: string): Promise<void> => {
    await makeFolder(dirname(path));
    await writeVolume(path, volume, { like: properties, force: true, description });
    written.push(path);
  };
  try {
    // Before the windows: what cannot be written need not be computed.
    if (segPath !== undefined && dicom !== undefined) await checkSegmentable(dicom);
    const { labels, sidecar } = await segment(model, scan, {
      patch: options.patch,
      ...windows,
      name: target.path,
      accept: options.accept,
      readingNotes: notes,
      onNote: note,
      files: { scan: basename(target.path), mask: basename(masks[0]), probabilities: probabilityNames },
      program: { name: 'quickcolumn', version },
      minimumLesionMl: options.minimumLesionMl,
      availableBytes: options.ignoreMemory ? Number.POSITIVE_INFINITY : undefined,
      compiled,
      signal: context.signal,
      onEstimate: ({ windows: count, preparedSize, peakBytes }) =>
        context.note(`${shown}: ${preparedSize.join('×')} voxels, ${count} windows, about ${formatBytes(peakBytes)}`),
      onProgress: ({ done, total }) => task.update(`window ${done} of ${total}`, done, total),
      onProbability:
        probabilityNames && ((c, volume) => write(join(folder, probabilityNames[c]), volume, 'probability')),
    });
    // The mask last: where there is a mask, all that belongs to it is there.
    await makeFolder(folder);
    await writeFileAtomic(sidecarPath, `${JSON.stringify(sidecar, null, 2)}\n`);
    written.push(sidecarPath);
    if (segPath !== undefined && dicom !== undefined) {
      const bytes = await encodeSegmentation(labels, dicom, {
        classes: classes.filter(({ value }) => value !== 0),
        algorithm: `Quickcolumn ${model.metadata.network.name}`,
        version,
        onNote: note,
      });
      await writeFileAtomic(segPath, bytes);
      written.push(segPath);
    }
    for (const path of maskPaths) await write(path, labels, 'quickcolumn labels');
  } catch (error) {
    task.end();
    for (const path of written) await rm(path, { force: true });
    throw error;
  } finally {
    close();
  }
  const seconds = (performance.now() - start) / 1000;
  task.end(`${target.shownName === undefined ? masks[0] : 'mask'} in ${formatSeconds(seconds)}`);
  return { name: target.name, masks, sidecar: sidecarPath, seconds };
}

function fileSafe(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
}
