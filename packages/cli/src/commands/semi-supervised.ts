/**
 * `quickcolumn semi-supervised`: a teacher is trained on the labelled cases, labels the others where it is sure, a student
 * that starts from it is trained on both, and teaches the next round. The same command goes on after an interruption:
 * what is finished is there as a model or as a folder of labels, and both appear whole or not at all.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { divideListed, formatCaseList, type ListedCase, readCaseList } from '@quickcolumn/cases';
import type { TrainConfig } from '@quickcolumn/learn';
import { QuickcolumnError } from '@quickcolumn/errors';
import { Command } from 'commander';
import { probability, wholeNumber } from '../arguments.js';
import { InputError } from '../cases.js';
import { checkOutputFolder, exists, OutputError } from '../outputs.js';
import { ignoreValue } from '../pseudo-labels.js';
import { runFiles } from '../run-folder.js';
import { note, print } from '../terminal.js';
import { type ConfigFlags, trainConfigFrom } from '../train-config.js';
import { withTrainingOptions } from '../training-options.js';
import { runTraining } from '../training-run.js';
import { toYaml } from '../yaml.js';
import { makePseudoLabels, pseudoLabelRecord } from './pseudo-label.js';

interface SemiSupervisedFlags extends ConfigFlags {
  readonly out: string;
  readonly rounds: number;
  readonly confidence: number;
  readonly minimumVoxels: number;
  readonly cache: string;
  readonly threads?: number;
  /** From --no-evaluate. */
  readonly evaluate: boolean;
}

const files = {
  config: 'config.yaml',
  labelled: 'labelled.csv',
  unlabelled: 'unlabelled.csv',
  state: 'state.json',
} as const;

export function semiSupervisedCommand(): Command {
  const command = new Command('semi-supervised')
    .description('train on labelled cases, label the others where the model is sure, train on both')
    .requiredOption('--out <folder>', 'folder for all of it; given again, the command goes on in it');
  withTrainingOptions(command, ['list', 'profile', 'config'], {
    list: 'list of image,label,patient,split; rows without a label are labelled by the model',
  })
    .option('--rounds <n>', 'students, one after the other', wholeNumber(1), 1)
    .option('--confidence <p>', 'voxels keep a class of at least this probability', probability, 0.9)
    .option('--minimum-voxels <n>', 'leave out scans with fewer sure voxels beside the background', wholeNumber(0), 1);
  return withTrainingOptions(command, ['epochs', 'seed', 'runtime', 'precision', 'autotune', 'threads', 'cache'])
    .option('--no-evaluate', 'leave the metrics of the validation cases out of each training’s report')
    .addHelpText(
      'after',
      `
OUT/teacher, OUT/student-1, … are run folders, OUT/labels-1, … what was labelled before each student. Validation cases are
chosen once and are the same in all trainings. pseudo-label does a single step of it.

Examples:
  quickcolumn semi-supervised --profile quick --list all.csv --out semi
  quickcolumn semi-supervised --config my.yaml --rounds 3 --confidence 0.95 --out semi`,
    )
    .action(semiSupervised);
}

async function semiSupervised(flags: SemiSupervisedFlags): Promise<void> {
  const { out, rounds, confidence, minimumVoxels } = flags;
  const place = (name: string): string => resolve(out, name);
  const settings = `${JSON.stringify({ rounds, confidence, minimumVoxels })}\n`;
  if (await exists(place(files.state))) await requireSame(place(files.state), settings);
  else await begin(flags, settings);

  const base = await trainConfigFrom({ config: place(files.config) });
  await trainOne(flags, 'teacher', { ...base, data: { ...base.data, list: place(files.labelled) } });
  let model = place('teacher');
  for (let round = 1; round <= rounds; round++) {
    const labels = place(`labels-${round}`);
    if (!(await exists(join(labels, pseudoLabelRecord)))) {
      const about = { list: place(files.unlabelled), with: place(files.labelled), confidence, minimumVoxels };
      const { threads } = flags;
      // Files of a move that was interrupted are replaced.
      await makePseudoLabels({ ...base.compute, ...about, model, out: labels, threads, force: true, own: true });
    }
    const { classes, ignoreLabel } = base.preparation;
    await trainOne(flags, `student-${round}`, {
      ...base,
      preparation: { ...base.preparation, ignoreLabel: ignoreValue(classes, ignoreLabel) },
      data: { ...base.data, list: join(labels, 'cases.csv') },
      init: { from: model, ...(base.init?.freeze && { freeze: base.init.freeze }) },
    });
    model = place(`student-${round}`);
  }
  print(join(model, runFiles.model));
}

/** Divides the list for good and writes what all trainings begin with; the state comes last. */
async function begin(flags: SemiSupervisedFlags, settings: string): Promise<void> {
  const { out } = flags;
  const needsList = 'semi-supervised needs a list of cases: --list, or data.list in the configuration';
  if (flags.list === undefined && flags.config === undefined) throw new QuickcolumnError('usage', needsList);
  const config = await trainConfigFrom(flags);
  const { list, holdOut, patients } = config.data;
  if (list === null) throw new QuickcolumnError('usage', needsList);
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
  await writeFileAtomic(
    join(out, files.config),
    toYaml({ ...config, data: { ...config.data, patients: {}, holdOut: [] } }),
  );
  await writeFileAtomic(join(out, files.state), settings);
}

async function requireSame(path: string, settings: string): Promise<void> {
  const found = await readFile(path, 'utf8');
  if (found === settings) return;
  throw new OutputError(
    `${path}: was begun with ${found.trim()}, now it is ${settings.trim()}; give the same numbers to go on, or another --out`,
    path,
  );
}

/** Trains, goes on or leaves alone what is finished. */
async function trainOne(flags: SemiSupervisedFlags, name: string, config: TrainConfig): Promise<void> {
  const { out, cache, threads, evaluate } = flags;
  const run = resolve(out, name);
  if (await exists(join(run, runFiles.report))) return;
  note(`${name}: training`);
  const begun = join(run, runFiles.config);
  const resume = await exists(begun);
  await runTraining(resume ? await trainConfigFrom({ config: begun }) : config, run, {
    cacheDir: cache,
    resume,
    threads,
    evaluateValidation: evaluate,
    goOn: 'the same command',
  });
}
