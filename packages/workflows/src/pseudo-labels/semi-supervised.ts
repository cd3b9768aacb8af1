/**
 * A teacher is trained on the labelled cases and labels the others where it is sure; a student that starts from it is
 * trained on both, and teaches the next round. The same job goes on after an interruption: what is finished is there as a
 * model or as a folder of labels, and both appear whole or not at all.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { consentOf, divideListed, formatCaseList, type ListedCase, readCaseList } from '@quickcolumn/cases';
import type { TrainConfig } from '@quickcolumn/learn';
import type { JobContext } from '../context.js';
import { withLock } from '../folders/lock.js';
import { checkOutputFolder, exists, OutputError } from '../folders/outputs.js';
import { runFiles } from '../folders/run-folder.js';
import { toYaml } from '../folders/yaml.js';
import type { SemiSupervisedJob, SemiSupervisedJobResult } from '../jobs/pseudo-label.js';
import { InputError } from '../scans/scan-files.js';
import { trainInto } from '../train/run-training.js';
import { trainConfigFrom } from '../train/train-config.js';
import { pseudoLabelInto, pseudoLabelRecord } from './pseudo-label-scans.js';
import { requireOwnValues } from './own-values.js';
import { ignoreValue } from './pseudo-labels.js';

const files = {
  config: 'config.yaml',
  labelled: 'labelled.csv',
  unlabelled: 'unlabelled.csv',
  state: 'state.json',
} as const;

export async function runSemiSupervised(job: SemiSupervisedJob, context: JobContext): Promise<SemiSupervisedJobResult> {
  const { out, rounds = 1, confidence = 0.9, minimumVoxels = 1, threads } = job;
  const inside = (name: string): string => resolve(out, name);
  const settings = `${JSON.stringify({ rounds, confidence, minimumVoxels })}\n`;
  if (await exists(inside(files.state))) await requireSame(inside(files.state), settings);
  else await begin(job, settings);

  const base = await trainConfigFrom({ config: inside(files.config) });
  await trainOne(job, 'teacher', { ...base, data: { ...base.data, list: inside(files.labelled) } }, context);
  let model = inside('teacher');
  for (let round = 1; round <= rounds; round++) {
    const labels = inside(`labels-${round}`);
    if (!(await exists(join(labels, pseudoLabelRecord)))) {
      const about = { list: inside(files.unlabelled), with: inside(files.labelled), confidence, minimumVoxels };
      // Files of a move that was interrupted are replaced.
      const compute = { ...base.compute, ...consentOf(base.data), threads };
      await pseudoLabelInto({ kind: 'pseudo-label', ...compute, ...about, model, out: labels }, context);
    }
    const { classes, ignoreLabel } = base.preparation;
    const config: TrainConfig = {
      ...base,
      preparation: { ...base.preparation, ignoreLabel: ignoreValue(classes, ignoreLabel) },
      data: { ...base.data, list: join(labels, 'cases.csv') },
      init: { from: model, ...(base.init?.freeze && { freeze: base.init.freeze }) },
    };
    await trainOne(job, `student-${round}`, config, context);
    model = inside(`student-${round}`);
  }
  return { model: join(model, runFiles.model) };
}

/** Divides the list for good and writes what all trainings begin with; the state comes last. */
async function begin({ out, config }: SemiSupervisedJob, settings: string): Promise<void> {
  const list = config?.data.list;
  if (config === undefined || list === undefined || list === null) {
    throw new QuickcolumnError('usage', 'semi-supervised training needs a list of cases (data.list)');
  }
  const { classes, ignoreLabel } = config.preparation;
  requireOwnValues({ ...config.preparation, ignoreLabel: ignoreValue(classes, ignoreLabel) });
  const { holdOut, patients } = config.data;
  const listed = await readCaseList(list, { patients, order: 'given' });
  const isTest = ({ name, split }: ListedCase): boolean => split === 'test' || holdOut.includes(name);
  const labelled = listed.filter((entry) => !isTest(entry) && entry.labelPath !== undefined);
  const unlabelled = listed.filter((entry) => !isTest(entry) && entry.labelPath === undefined);
  if (unlabelled.length === 0) throw new InputError(`${list}: every case has a label or is a test; use train`);
  const validation = new Set(divideListed(labelled, config).test.map(({ name }) => name));
  const divided = [
    ...labelled.map(
      (entry): ListedCase => ({ ...entry, split: validation.has(entry.name) ? 'validation' : 'train-only' }),
    ),
    ...listed.filter(isTest).map((entry): ListedCase => ({ ...entry, split: 'test' })),
  ];
  await checkOutputFolder(out, false);
  await makeFolder(out);
  const folder = resolve(out);
  await writeFileAtomic(join(out, files.labelled), formatCaseList(divided, folder));
  await writeFileAtomic(join(out, files.unlabelled), formatCaseList(unlabelled, folder));
  // Patients stand in the lists from here on, and held-out cases are tests of them.
  const written = { ...config, data: { ...config.data, patients: {}, holdOut: [] } };
  await writeFileAtomic(join(out, files.config), toYaml(written));
  await writeFileAtomic(join(out, files.state), settings);
}

async function requireSame(path: string, settings: string): Promise<void> {
  const found = await readFile(path, 'utf8');
  if (found === settings) return;
  throw new OutputError(
    `${path}: was begun with ${found.trim()}, now it is ${settings.trim()}; give the same numbers to go on, or another folder`,
    path,
  );
}

/** Trains, goes on or leaves alone what is finished. */
async function trainOne(
  { out, cacheDir, threads, evaluateValidation }: SemiSupervisedJob,
  name: string,
  config: TrainConfig,
  context: JobContext,
): Promise<void> {
  const run = resolve(out, name);
  if (await exists(join(run, runFiles.report))) return;
  context.note(`${name}: training`);
  const begun = join(run, runFiles.config);
  const resume = await exists(begun);
  const job = { kind: 'train', out: run, cacheDir, threads, evaluateValidation } as const;
  const chosen = resume ? await trainConfigFrom({ config: begun }) : config;
  await withLock({ place: run, doing: job.kind }, () => trainInto({ ...job, config: chosen }, resume, context));
}
