/** Scans and a model in, masks on the scans' own grids and their sidecars out. */
import { assumptionsOf } from '@quickcolumn/cases';
import { parseRepair } from '@quickcolumn/dicom';
import { errorCodeOf } from '@quickcolumn/errors';
import { type CompiledModel, type AnyModelContents, resolveWindow } from '@quickcolumn/predict';
import { voxelCount } from '@quickcolumn/volume';
import type { JobContext } from '../context.js';
import { requireSpace } from '../folders/disk-space.js';
import { checkOutputFile } from '../folders/outputs.js';
import type { FailedScan, PredictedFiles, PredictJob, PredictJobResult } from '../jobs/predict.js';
import { InputError } from '../scans/scan-files.js';
import { type ScanInput, scanInputs } from '../scans/scan-inputs.js';
import { modelLines, openModels, readModels } from './load-models.js';
import { type ExistingMask, disagreementFile, existingMask, probabilityFiles } from './mask-files.js';
import { chooseTargets, type MaskTarget } from './mask-targets.js';
import { type ScanPredictionOptions, windowOptions } from './options.js';
import { type LoadedTarget, loadTarget, predictTarget } from './predict-target.js';
import { batchError, failureOf, isAboutOneScan } from './scan-failures.js';
import { namedScans } from './scan-names.js';

/**
 * Predicts every scan of the given files and folders. A scan that cannot be predicted does not keep the others from it.
 * @throws what is wrong with a single scan; of several, an error at the end that lists those that failed
 */
export async function runPrediction(
  { inputs, ...options }: PredictJob,
  context: JobContext,
): Promise<PredictJobResult> {
  const { series, repair, anonymize, anonymizeKey, force = false } = options;
  const { signal } = context;
  const hidden = anonymize === true || anonymizeKey !== undefined;
  const models = await readModels(options.model);
  for (const line of modelLines(models)) context.note(line);
  const found = await scanInputs(inputs, {
    series,
    assume: assumptionsOf(options),
    signal,
    ...(repair && { repair: parseRepair(repair) }),
    ...(!hidden && { note: (text) => context.note(text) }),
  });
  if (anonymizeKey !== undefined) await checkOutputFile(anonymizeKey, force);
  const { scans, writeKey } = namedScans(found, options);
  const failed: FailedScan[] = [];
  const result = await predictBatch(scans, options, context, {
    models,
    beforeFirst: writeKey,
    onFailure(scan, error) {
      const shown = scan.shownName ?? scan.name;
      const failure = failureOf(shown, error, hidden);
      if (scans.length === 1 && !hidden) throw error;
      context.note(`${shown}: ${failure.message}; left out`);
      failed.push(failure);
    },
  });
  if (failed.length > 0) throw batchError(failed, result);
  return result;
}

/**
 * Predicts named scans, NAME.nii.gz each unless another format is asked for. The first that cannot be predicted ends it.
 * Everything that can be checked is, before the first window.
 */
export async function predictScans(
  scans: readonly ScanInput[],
  options: ScanPredictionOptions,
  context: JobContext,
): Promise<readonly PredictedFiles[]> {
  const stop = (_scan: ScanInput, error: unknown): void => {
    throw error;
  };
  const models = await readModels(options.model);
  return (await predictBatch(scans, options, context, { models, onFailure: stop })).scans;
}

interface Batch {
  readonly models: readonly AnyModelContents[];
  /** Called when everything is checked. */
  readonly beforeFirst?: () => Promise<void>;
  /** Called for a scan that cannot be predicted where others may be; the batch goes on unless it throws. */
  readonly onFailure: (scan: ScanInput, error: unknown) => void;
}

async function predictBatch(
  scans: readonly ScanInput[],
  options: ScanPredictionOptions,
  context: JobContext,
  { models, beforeFirst, onFailure }: Batch,
): Promise<PredictJobResult> {
  const { skipExisting = false, force = false, minimumLesionMl } = options;
  const targets = await chooseTargets(scans, options);
  const model = await openModels(models, options, context);
  const { patch } = resolveWindow(model, options);
  const { classes } = model.metadata.preparation;
  const windows = windowOptions(options, classes);
  const making = { ...windows, patch: options.patch, minimumLesionMl };
  const existing = new Map<MaskTarget, ExistingMask>();
  for (const target of skipExisting ? targets : []) {
    const maps = [
      ...(options.probabilities === true ? probabilityFiles(target, classes) : []),
      ...(options.disagreement === true ? [disagreementFile(target)] : []),
    ];
    const found = await existingMask(target, { model, making, maps, force });
    if (found !== undefined) existing.set(target, found);
  }
  await checkSpace(
    targets.filter((target) => !existing.has(target)),
    options,
    classes.length,
  );
  await beforeFirst?.();

  let compiled: CompiledModel | undefined;
  const written: PredictedFiles[] = [];
  const skipped: string[] = [];
  try {
    for (const target of targets) {
      context.throwIfInterrupted();
      const start = performance.now();
      let loaded: LoadedTarget;
      try {
        loaded = await loadTarget(target, context);
      } catch (error) {
        if (errorCodeOf(error) === 'interrupted') throw error;
        onFailure(target, error);
        continue;
      }
      try {
        const earlier = existing.get(target);
        if (earlier !== undefined && isOfThisScan(earlier, loaded, { target, force })) {
          context.note(
            `${target.shownName ?? target.name}: its mask is there, of the same model and options; left as it is`,
          );
          skipped.push(target.name);
          continue;
        }
        compiled ??= await model.compile(patch, model.windowsAtOnce);
        written.push(await predictTarget(loaded, { model, compiled, windows, options, start }, context));
      } catch (error) {
        if (!isAboutOneScan(error)) throw error;
        onFailure(target, error);
      } finally {
        loaded.close();
      }
    }
  } finally {
    await compiled?.dispose();
  }
  return { scans: written, skipped };
}

/** @throws InputError where the mask is another scan's, unless `force` replaces it */
function isOfThisScan(
  { scanSha256 }: ExistingMask,
  { sha256 }: LoadedTarget,
  { target, force }: { readonly target: MaskTarget; readonly force: boolean },
): boolean {
  if (scanSha256 === sha256) return true;
  if (force) return false;
  const why = scanSha256 === undefined ? 'does not tell of which scan it is' : 'is of a scan with other contents';
  throw new InputError(`${target.sidecarPath}: the mask that is there ${why}; choose another folder`, {
    path: target.sidecarPath,
    options: { force: 'replace it' },
  });
}

/** The voxels of every result, at the most bytes that they can take. @throws OutputError */
async function checkSpace(
  targets: readonly MaskTarget[],
  { out, probabilities = false, disagreement = false, ignoreSpace = false }: ScanPredictionOptions,
  classes: number,
): Promise<void> {
  if (ignoreSpace) return;
  let bytes = 0;
  for (const target of targets) {
    const { maskPaths, segPath } = target;
    const scanSize = await target.size();
    const voxels = scanSize === undefined ? 0 : voxelCount(scanSize);
    // Label maps compress to far less than a bit a voxel; a segmentation has a bit for each class; probabilities hardly compress.
    const maps = (probabilities ? classes : 0) + (disagreement ? 1 : 0);
    const bitsPerVoxel = maskPaths.length + (segPath === undefined ? 0 : classes - 1) + 32 * maps;
    bytes += (voxels * bitsPerVoxel) / 8;
  }
  const what = `${targets.length === 1 ? 'a mask' : `${targets.length} masks`}${probabilities ? ' with probabilities' : ''}`;
  await requireSpace(out, bytes, what);
}
