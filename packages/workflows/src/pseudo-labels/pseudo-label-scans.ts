/** Labels of unlabelled scans by a model, where it is sure, as a dataset that can be trained on. */
import { join, resolve } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import { writeFileAtomic } from '@quickcolumn/io';
import { consentOf, formatCaseList, type ListedCase, readCaseList, type ScanConsent } from '@quickcolumn/cases';
import { parseTrainConfig, type TrainConfig } from '@quickcolumn/learn';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import type { JobContext } from '../context.js';
import { checkOutputFolder, exists, OutputError, writeFolder } from '../folders/outputs.js';
import { toYaml } from '../folders/yaml.js';
import type { PseudoLabelJob, PseudoLabelJobResult, PseudoLabelledScan } from '../jobs/pseudo-label.js';
import { openPredictor } from '../predict/scan-predictor.js';
import { InputError, scansIn } from '../scans/scan-files.js';
import { modelSettings } from '../train/model-settings.js';
import { requireOwnValues } from './own-values.js';
import { chooseScans, ignoreValue, pseudoLabel, scansOfFiles, type UnlabelledScan } from './pseudo-labels.js';

/** Of a folder of pseudo-labels, what they are; written last. */
export const pseudoLabelRecord = 'pseudo-labels.json';

/** Fills the folder `out`, all of it or nothing. */
export async function runPseudoLabelling(job: PseudoLabelJob, context: JobContext): Promise<PseudoLabelJobResult> {
  const { out, force = false } = job;
  await checkOutputFolder(out, force);
  // Labels that a person drew may lie in a folder of the same name.
  if (force && !(await exists(join(out, pseudoLabelRecord))) && (await exists(join(out, 'labels')))) {
    throw new OutputError(`${out} holds labels that are no pseudo-labels; choose another folder`, out);
  }
  return await pseudoLabelInto(job, context);
}

/** The same for a folder that is the caller's own: what lies in it is replaced. */
export async function pseudoLabelInto(job: PseudoLabelJob, context: JobContext): Promise<PseudoLabelJobResult> {
  const { out, confidence = 0.9, minimumVoxels = 1 } = job;
  const labelled = job.with === undefined ? [] : await labelledCases(job.with);
  const { chosen, leftOut } = chooseScans(await unlabelledScans(job, context), labelled);
  for (const { name, reason } of leftOut) context.note(`${name}: left out, it ${reason}`);
  const shared = patientsInBoth(chosen, labelled);
  if (shared.length > 0) {
    context.note(
      `mind: labelled cases of ${shared.join(', ')} are always trained on from now on, because other scans of these ` +
        'patients are; name the validation cases in the list (split validation) to keep them the same',
    );
  }
  if (chosen.length === 0) throw new InputError('no scan is left to label; give others with images or list');
  const predictor = await openPredictor(job, context);
  try {
    const { metadata, name: modelName } = predictor.model;
    if (metadata.format !== 'quickcolumn-model') {
      throw new QuickcolumnError(
        'usage',
        `${modelName}: pseudo-labels come with the configuration of a training as the model's, and a model of another ` +
          'framework has none; predict the scans instead',
      );
    }
    const { classes, ignoreLabel } = metadata.preparation;
    const ignore = ignoreValue(classes, ignoreLabel);
    requireOwnValues({ ...metadata.preparation, ignoreLabel: ignore });
    const config = configOf(metadata, ignore, consentOf(job));
    const scans: PseudoLabelledScan[] = [];
    await writeFolder(out, async (staging) => {
      const folder = join(staging, 'labels');
      for (const scan of chosen) {
        scans.push(await pseudoLabel(predictor, scan, { folder, confidence, ignore, minimumVoxels }));
      }
      const used = new Set(scans.filter((one) => one.used).map(({ name }) => name));
      if (used.size === 0) {
        throw new InputError(
          `the model is sure of fewer than ${minimumVoxels} voxels in every scan; lower the confidence or the number of voxels`,
          { options: { confidence: 'lower the confidence', 'minimum-voxels': 'ask for fewer voxels' } },
        );
      }
      const cases = chosen.filter(({ name }) => used.has(name)).map((scan) => listedCase(scan, out));
      const list = formatCaseList([...labelled, ...cases], resolve(out));
      await writeFileAtomic(join(staging, 'cases.csv'), list);
      await writeFileAtomic(join(staging, 'config.yaml'), toYaml(config));
      const [first, ...others] = predictor.model.files;
      const models = { model: first, ...(others.length > 0 && { ensemble: [first, ...others] }) };
      const about = { confidence, minimumVoxels, ignoreLabel: ignore, ...models, cases: scans };
      await writeFileAtomic(join(staging, pseudoLabelRecord), `${JSON.stringify(about, null, 2)}\n`);
    });
    const used = scans.filter((one) => one.used).length;
    context.note(
      `${labelled.length} labelled cases and ${used} pseudo-labelled ones; labels to ignore have the value ${ignore}`,
    );
    return {
      scans,
      labelledCases: labelled.length,
      ignoreLabel: ignore,
      list: join(out, 'cases.csv'),
      config: join(out, 'config.yaml'),
    };
  } finally {
    await predictor.dispose();
  }
}

async function unlabelledScans({ images, list }: PseudoLabelJob, context: JobContext): Promise<UnlabelledScan[]> {
  if ((images === undefined) === (list === undefined)) {
    throw new QuickcolumnError('usage', 'give the scans to label: either images or list');
  }
  if (images !== undefined)
    return scansOfFiles(await scansIn(images, 'images', { note: (text) => context.note(text) }));
  const cases = await readCaseList(list ?? '', { order: 'given' });
  const bare = cases.filter(({ labelPath, split }) => labelPath === undefined && split !== 'test');
  if (bare.length === 0)
    throw new InputError(`${list}: every row has a label or is of the split test; nothing to label`);
  return bare.map(({ name, imagePath, patient }) => ({ name, path: imagePath, patient }));
}

/** Rows with labels, and the tests, in the order of the list. */
async function labelledCases(list: string): Promise<ListedCase[]> {
  const cases = await readCaseList(list, { order: 'given' });
  return cases.filter(({ labelPath, split }) => labelPath !== undefined || split === 'test');
}

/** Patients of whom labelled cases might be validated on now and trained on with the new list. */
function patientsInBoth(chosen: readonly UnlabelledScan[], labelled: readonly ListedCase[]): string[] {
  const divided = new Set(labelled.filter(({ split }) => split === 'train').map(({ patient }) => patient));
  return [...new Set(chosen.map(({ patient }) => patient))].filter((patient) => divided.has(patient));
}

function listedCase({ name, path, patient }: UnlabelledScan, out: string): ListedCase {
  const labelPath = resolve(out, 'labels', `${name}.nii.gz`);
  return { name, imagePath: resolve(path), labelPath, patient, split: 'train-only' };
}

/** A training on the new list as the model's was: its network, preparation and patch, the rest of its profile. */
function configOf(metadata: ModelMetadata, ignoreLabel: number, consent: ScanConsent): TrainConfig {
  const settings = modelSettings(metadata);
  const preparation = { ...settings.preparation, ignoreLabel };
  return parseTrainConfig({ ...settings, preparation, data: { list: 'cases.csv', ...consent } }, 'config.yaml');
}
