/** `quickcolumn pseudo-label`: labels of unlabelled scans by a model, where it is sure, ready for `train`. */
import { join, resolve } from 'node:path';
import { writeFileAtomic } from '@quickcolumn/io';
import {
  formatCaseList,
  type ListedCase,
  parseTrainConfig,
  profileNames,
  readCaseList,
  type TrainConfig,
} from '@quickcolumn/learn';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import { QuickcolumnError } from '@quickcolumn/errors';
import { Command } from 'commander';
import { autotuneOption, precisionOption, probability, runtimeOption, wholeNumber } from '../arguments.js';
import { InputError, scansIn } from '../cases.js';
import type { DeviceRequest } from '../device.js';
import { checkOutputFolder, exists, OutputError, writeFolder } from '../outputs.js';
import {
  chooseScans,
  ignoreValue,
  type PseudoLabel,
  pseudoLabel,
  scansOfFiles,
  type UnlabelledScan,
} from '../pseudo-labels.js';
import { openPredictor } from '../scan-predictor.js';
import { note, print, table } from '../terminal.js';
import { toYaml } from '../yaml.js';

/** Of a folder of pseudo-labels, what they are; written last. */
export const pseudoLabelRecord = 'pseudo-labels.json';

export interface PseudoLabelFlags extends DeviceRequest {
  readonly model: string;
  readonly out: string;
  readonly images?: string;
  readonly list?: string;
  readonly with?: string;
  readonly confidence: number;
  readonly minimumVoxels: number;
  readonly threads?: number;
  readonly force?: boolean;
  /** The folder is the caller's own: what lies in it may be replaced. */
  readonly own?: boolean;
}

export function pseudoLabelCommand(): Command {
  return new Command('pseudo-label')
    .description('label scans with a model where it is sure, to train on')
    .requiredOption('--model <model>', 'model file or run folder; several, separated by commas, are averaged')
    .requiredOption('--out <folder>', 'folder for labels, cases.csv and config.yaml')
    .option('--images <folder>', 'scans without labels (NIfTI, NRRD, MetaImage)')
    .option('--list <cases.csv>', 'or a list: its rows without a label, but those of the split test')
    .option('--with <cases.csv>', 'labelled cases that the new list begins with')
    .option('--confidence <p>', 'voxels keep a class of at least this probability', probability, 0.9)
    .option('--minimum-voxels <n>', 'leave out scans with fewer sure voxels beside the background', wholeNumber(0), 1)
    .addOption(runtimeOption())
    .addOption(precisionOption())
    .addOption(autotuneOption())
    .option('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1))
    .option('--force', 'replace earlier pseudo-labels in --out')
    .addHelpText(
      'after',
      `
All other voxels get the label to ignore (preparation.ignoreLabel of the model, else 255). Pseudo-labelled cases are of
the split train-only: they are never validated or tested on, nor are scans used of patients who are.

Examples:
  quickcolumn train --profile quick --list labelled.csv --out teacher
  quickcolumn pseudo-label --model teacher --images unlabelled --with labelled.csv --out set
  quickcolumn train --config set/config.yaml --init-from teacher --out student`,
    )
    .action(async (flags: PseudoLabelFlags) => {
      await makePseudoLabels(flags);
      const { out, model } = flags;
      note(`train on them: quickcolumn train --config ${join(out, 'config.yaml')} --init-from ${model} --out RUN`);
      print(join(out, 'cases.csv'));
    });
}

/** Fills the folder `out`, all of it or nothing. */
export async function makePseudoLabels(flags: PseudoLabelFlags): Promise<void> {
  const { out, confidence, minimumVoxels, force = false } = flags;
  await checkOutputFolder(out, force);
  const own = (flags.own ?? false) || (await exists(join(out, pseudoLabelRecord)));
  // Labels that a person drew may lie in a folder of the same name.
  if (force && !own && (await exists(join(out, 'labels')))) {
    throw new OutputError(`${out} holds labels that are no pseudo-labels; choose another --out`, out);
  }
  const labelled = flags.with === undefined ? [] : await labelledCases(flags.with);
  const { chosen, leftOut } = chooseScans(await unlabelledScans(flags), labelled);
  for (const { name, reason } of leftOut) note(`${name}: left out, it ${reason}`);
  const shared = patientsInBoth(chosen, labelled);
  if (shared.length > 0) {
    note(
      `mind: labelled cases of ${shared.join(', ')} are always trained on from now on, because other scans of these ` +
        'patients are; name the validation cases in the list (split validation) to keep them the same',
    );
  }
  if (chosen.length === 0) throw new InputError('no scan is left to label; give others with --images or --list');
  const predictor = await openPredictor(flags);
  try {
    const { metadata } = predictor.model;
    const { classes, ignoreLabel } = metadata.preparation;
    const ignore = ignoreValue(classes, ignoreLabel);
    const config = configOf(metadata, ignore);
    const results: (PseudoLabel & { readonly written?: string })[] = [];
    await writeFolder(out, async (staging) => {
      for (const scan of chosen) {
        const folder = join(staging, 'labels');
        results.push(await pseudoLabel(predictor, scan, { folder, confidence, ignore, minimumVoxels }));
      }
      const written = new Set(results.filter((one) => one.written !== undefined).map(({ name }) => name));
      if (written.size === 0) {
        throw new InputError(
          `the model is sure of fewer than ${minimumVoxels} voxels in every scan; lower --confidence or --minimum-voxels`,
        );
      }
      const cases = chosen.filter(({ name }) => written.has(name)).map((scan) => listedCase(scan, out));
      const list = formatCaseList([...labelled, ...cases], resolve(out));
      await writeFileAtomic(join(staging, 'cases.csv'), list);
      await writeFileAtomic(join(staging, 'config.yaml'), toYaml(config));
      const about = {
        confidence,
        minimumVoxels,
        ignoreLabel: ignore,
        model: predictor.model.files[0],
        ...(predictor.model.files.length === 1 ? {} : { ensemble: predictor.model.files }),
        cases: results.map(({ written: path, ...rest }) => ({ ...rest, used: path !== undefined })),
      };
      await writeFileAtomic(join(staging, pseudoLabelRecord), `${JSON.stringify(about, null, 2)}\n`);
    });
    print(table(rowsOf(results)));
    const used = results.filter(({ written }) => written !== undefined).length;
    note(
      `${labelled.length} labelled cases and ${used} pseudo-labelled ones; labels to ignore have the value ${ignore}`,
    );
  } finally {
    await predictor.dispose();
  }
}

async function unlabelledScans({ images, list }: PseudoLabelFlags): Promise<UnlabelledScan[]> {
  if ((images === undefined) === (list === undefined)) {
    throw new QuickcolumnError('usage', 'give the scans to label: either --images or --list');
  }
  if (images !== undefined) return scansOfFiles(await scansIn(images, '--images'));
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
function configOf({ network, preparation, patch, overlap, training }: ModelMetadata, ignoreLabel: number): TrainConfig {
  const profile = profileNames.find((name) => name === training['profile']) ?? 'paper';
  return parseTrainConfig(
    {
      profile,
      data: { list: 'cases.csv' },
      preparation: { ...preparation, ignoreLabel },
      network: { ...network },
      train: { patch },
      predict: { overlap },
    },
    'config.yaml',
  );
}

function rowsOf(results: readonly (PseudoLabel & { readonly written?: string })[]): string[][] {
  const classes = Object.keys(results[0]?.voxels ?? {}).slice(1);
  const rows = results.map(({ name, keptShare, voxels, written }) => [
    name,
    `${(100 * keptShare).toFixed(1)}%`,
    ...classes.map((one) => String(voxels[one])),
    written === undefined ? 'left out' : 'used',
  ]);
  return [['case', 'sure', ...classes, 'label'], ...rows];
}
