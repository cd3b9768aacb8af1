/** One scan of a batch: read, predicted, written. */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkSegmentable, encodeSegmentation } from '@quickcolumn/dicom';
import {
  disagreementDescription,
  labelsDescription,
  makeFolder,
  probabilityDescription,
  writeFileAtomic,
  writeVolume,
} from '@quickcolumn/io';
import {
  type CompiledModel,
  formatBytes,
  type LoadedModel,
  type MaskSidecar,
  segment,
  type Segmentation,
  withDisagreement,
  withProbabilities,
} from '@quickcolumn/predict';
import type { Volume } from '@quickcolumn/volume';
import type { JobContext } from '../context.js';
import type { PredictedFiles } from '../jobs/predict.js';
import type { LoadedScan } from '../scans/scan-inputs.js';
import { formatSeconds } from '../text.js';
import { version } from '../version.js';
import { contentSha256, disagreementFile, masksOf, probabilityFiles } from './mask-files.js';
import type { MaskTarget } from './mask-targets.js';
import type { ScanPredictionOptions, WindowOptions } from './options.js';

/** A scan in memory; `close` when everything of it is written. */
export interface LoadedTarget extends LoadedScan {
  readonly target: MaskTarget;
  /** Of its contents. */
  readonly sha256: string;
}

const tellEveryBytes = 2 ** 26;

/** @throws the readers' errors; `interrupted` */
export async function loadTarget(target: MaskTarget, context: JobContext): Promise<LoadedTarget> {
  const task = context.begin('predict', target.shownName ?? target.name);
  // A small compressed file may hold gigabytes.
  let told = 0;
  const onProgress = (bytes: number): void => {
    if (bytes < told + tellEveryBytes) return;
    told = bytes;
    task.update(`reading, ${formatBytes(bytes)}`, 0, 1);
  };
  try {
    const loaded = await target.load({ signal: context.signal, onProgress });
    return { ...loaded, target, sha256: contentSha256(loaded.volume) };
  } finally {
    task.end();
  }
}

export interface Prediction {
  readonly model: LoadedModel;
  readonly compiled: CompiledModel;
  readonly windows: WindowOptions;
  readonly options: ScanPredictionOptions;
  /** When the scan's turn came, by `performance.now()`. */
  readonly start: number;
}

/**
 * The mask is on the disk before the first probability, and stays where those fail. Its sidecar is there before it, and names
 * the probabilities when they are. @throws what segmenting and writing throw; nothing unfinished stays
 */
export async function predictTarget(
  { target, volume: scan, sha256, properties, notes: read, dicom }: LoadedTarget,
  { model, compiled, windows, options, start }: Prediction,
  context: JobContext,
): Promise<PredictedFiles> {
  const { classes } = model.metadata.preparation;
  const { maskPaths, segPath, sidecarPath, shownName } = target;
  const masks = masksOf(target);
  const shown = shownName ?? target.name;
  const note = (text: string): void => context.note(`${shown}: ${text}`);
  // Notes on a series name its files, and these may be named after a patient.
  const isHidden = shownName !== undefined && dicom !== undefined && read.length > 0;
  const notes = isHidden ? ['what was noted of the series names its files and is not shown'] : read;
  notes.forEach(note);
  const task = context.begin('predict', shown);
  const folder = dirname(sidecarPath);
  const probabilityNames = options.probabilities ? probabilityFiles(target, classes) : undefined;
  const mapName = disagreementFile(target);
  let writtenMap: string | null = null;
  let unfinished: string[] = [];
  const write = async (path: string, volume: Volume, description: string): Promise<void> => {
    await makeFolder(dirname(path));
    await writeVolume(path, volume, { like: properties, force: true, description });
    unfinished.push(path);
  };
  const writeSidecar = async (sidecar: MaskSidecar): Promise<void> =>
    await writeFileAtomic(sidecarPath, `${JSON.stringify(sidecar, null, 2)}\n`);
  const onMask = async ({ labels, sidecar }: Segmentation): Promise<void> => {
    await makeFolder(folder);
    // The mask last: where there is a mask, all that tells of it is there.
    await writeSidecar(sidecar);
    unfinished.push(sidecarPath);
    if (segPath !== undefined && dicom !== undefined) {
      const bytes = await encodeSegmentation(labels, dicom, {
        classes: classes.filter(({ value }) => value !== 0),
        algorithm: `Quickcolumn ${model.metadata.network.name}`,
        version,
        onNote: note,
      });
      await writeFileAtomic(segPath, bytes);
      unfinished.push(segPath);
    }
    for (const path of maskPaths) await write(path, labels, labelsDescription);
    unfinished = [];
  };
  try {
    // Before the windows: what cannot be written need not be computed.
    if (segPath !== undefined && dicom !== undefined) await checkSegmentable(dicom);
    const { sidecar, doubts } = await segment(model, scan, {
      patch: options.patch,
      ...windows,
      name: shownName ?? target.path,
      accept: options.accept,
      readingNotes: notes,
      onNote: note,
      files: { scan: shownName ?? basename(target.path), scanSha256: sha256, mask: basename(masks[0]) },
      program: { name: 'quickcolumn', version },
      minimumLesionMl: options.minimumLesionMl,
      availableBytes: options.ignoreMemory ? Number.POSITIVE_INFINITY : undefined,
      compiled,
      signal: context.signal,
      onEstimate: ({ windows: count, preparedSize, peakBytes }) =>
        context.note(`${shown}: ${preparedSize.join('×')} voxels, ${count} windows, about ${formatBytes(peakBytes)}`),
      onProgress: ({ done, total }) => task.update(`window ${done} of ${total}`, done, total),
      onMask,
      onDisagreement:
        options.disagreement === true
          ? async (map) => {
              if (map === null) return;
              await write(join(folder, mapName), map, disagreementDescription);
              writtenMap = mapName;
            }
          : undefined,
      onProbability:
        probabilityNames && ((c, volume) => write(join(folder, probabilityNames[c]), volume, probabilityDescription)),
    });
    let complete = options.disagreement === true ? withDisagreement(sidecar, writtenMap) : sidecar;
    if (probabilityNames !== undefined) complete = withProbabilities(complete, probabilityNames);
    if (complete !== sidecar) await writeSidecar(complete);
    note(`agreement of what was predicted for the same place: ${agreementText(sidecar)}`);
    for (const { message } of doubts) note(`warning: ${message}`);
  } catch (error) {
    task.end();
    for (const path of unfinished) await rm(path, { force: true });
    throw error;
  }
  const seconds = (performance.now() - start) / 1000;
  task.end(`${shownName === undefined ? masks[0] : 'mask'} in ${formatSeconds(seconds)}`);
  return { name: target.name, masks, sidecar: sidecarPath, seconds };
}

/** `left lung 0.98, infection 0.81`; without the background. */
function agreementText({ classes }: MaskSidecar): string {
  const measured = classes.filter(({ value, agreement }) => value !== 0 && agreement !== null);
  if (measured.length > 0) return measured.map(({ name, agreement }) => `${name} ${agreement?.toFixed(2)}`).join(', ');
  return classes.every(({ agreement }) => agreement === null)
    ? 'not measured, nothing overlapped'
    : 'not measured, the mask is empty';
}
