/** `quickcolumn compare`: trains and evaluates several systems on the same folds of the same cases. */
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  buildComparisonReport,
  type Comparison,
  type ComparisonReport,
  type ComparisonReportOptions,
} from '@quickcolumn/evaluate';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { casesOf } from '@quickcolumn/cases';
import { QuickcolumnError } from '@quickcolumn/errors';
import { Command, InvalidArgumentError } from 'commander';
import { type AnonymousFlags, checkAnonymousFlags, shownNames, withAnonymousFlags } from '../anonymous.js';
import { autotuneOption, nameList, precisionOption, runtimeOption, wholeNumber } from '../arguments.js';
import { caseImages } from '../compare/case-images.js';
import { type DataOverride, type Experiment, readExperiment } from '../compare/experiment.js';
import { experimentYaml } from '../compare/experiment-yaml.js';
import { readComparison } from '../compare/read-comparison.js';
import { runFolds, throwFailures } from '../compare/run-folds.js';
import { type DeviceRequest, givenRequest } from '../device.js';
import { interruptSignal } from '../interrupt.js';
import { checkOutputFolder, exists, OutputError } from '../outputs.js';
import { defaultCache } from '../preparation.js';
import { note, print, progressLine } from '../terminal.js';

interface CompareFlags extends AnonymousFlags, DeviceRequest {
  readonly experiment?: string;
  readonly out: string;
  readonly list?: string;
  readonly images?: string;
  readonly labels?: string;
  readonly systems?: readonly string[];
  readonly folds?: readonly number[];
  readonly cases?: readonly string[];
  readonly reportOnly?: boolean;
  readonly redo?: readonly string[];
  readonly threads?: number;
  readonly cache: string;
}

const experimentFile = 'experiment.yaml';
const comparisonFile = 'comparison.json';
const reportFile = 'report.html';
const figuresFolder = 'figures';

export function compareCommand(): Command {
  const command = new Command('compare')
    .description('train and evaluate several systems on the same folds, resumably')
    .option('--experiment <file.yaml>', 'the systems, folds and cases (default: that of --out, to go on)')
    .requiredOption(
      '--out <folder>',
      'experiment.yaml, systems/ID/fold-K/, comparison.json, report.html, CSV tables, figures/',
    )
    .option('--systems <ids>', 'only these systems, separated by commas', nameList)
    .option('--folds <numbers>', 'only these folds, from 0, separated by commas', numberList)
    .option('--cases <names>', 'cases to show beside the best, the median and the worst one', nameList)
    .option('--report-only', 'train nothing; report the finished folds that belong together')
    .option('--redo <ids>', 'train these systems anew, or all; their results are removed', nameList)
    .option('--list <cases.csv>', 'list of image,label,patient, in place of the experiment’s')
    .option('--images <folder>', 'scans, in place of the experiment’s')
    .option('--labels <folder>', 'label maps of the same names')
    .addOption(runtimeOption())
    .addOption(precisionOption())
    .addOption(autotuneOption())
    .option('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1))
    .option('--cache <folder>', 'where prepared cases are kept', defaultCache())
    .addHelpText(
      'after',
      `
Each fold's cases are held out of its training, which divides the others again to choose its checkpoint. Interrupted or
killed, the same command goes on where it stopped. Of a finished fold model.onnx, history and masks stay; its
checkpoints are removed. Results of other data, code, configuration or machine are never put in one table.

Examples:
  quickcolumn compare --experiment examples/compare-quick.yaml --list cases.csv --out comparison
  quickcolumn compare --out comparison
  quickcolumn compare --out comparison --redo unet3d
  quickcolumn compare --out comparison --report-only --anonymize`,
    )
    .action(compare);
  return withAnonymousFlags(command);
}

async function compare(flags: CompareFlags): Promise<void> {
  const { out, systems, redo = [] } = flags;
  if (flags.reportOnly && redo.length > 0)
    throw new QuickcolumnError('usage', '--report-only trains nothing; leave --redo out');
  await checkOutputFolder(out, true);
  await checkAnonymousFlags(flags, false);
  await checkIsExperiment(out);
  const file = flags.experiment ?? join(out, experimentFile);
  if (flags.experiment === undefined && !(await exists(file))) {
    throw new QuickcolumnError('usage', `${out} holds no experiment to go on with; give one with --experiment`);
  }
  const experiment = await readExperiment(file, {
    data: dataOverride(flags),
    compute: givenRequest(flags),
    asWritten: flags.reportOnly === true && flags.experiment === undefined,
  });
  const folderOf = (id: string, fold: number): string => join(out, 'systems', id, `fold-${fold}`);
  let failures: readonly QuickcolumnError[] = [];
  if (!flags.reportOnly) {
    try {
      failures = await runFolds({
        experiment,
        folderOf,
        cacheDir: flags.cache,
        threads: flags.threads,
        anonymous: flags,
        systems,
        folds: flags.folds,
        redo,
        onStart: async () => {
          await makeFolder(out);
          await writeFileAtomic(join(out, experimentFile), experimentYaml(experiment));
        },
      });
    } catch (error) {
      if (!(error instanceof QuickcolumnError) || error.code !== 'interrupted') throw error;
      const message = `interrupted; finished folds are kept, go on with: quickcolumn compare --out ${out}`;
      throw new QuickcolumnError('interrupted', message, {}, { cause: error });
    }
  }
  await report(experiment, { out, folderOf, flags });
  throwFailures(failures);
}

async function report(
  experiment: Experiment,
  about: { out: string; folderOf: (id: string, fold: number) => string; flags: CompareFlags },
): Promise<void> {
  const { out, folderOf, flags } = about;
  const cases = await casesOf(experiment.systems[0].config.data);
  const names = shownNames(cases, flags);
  const comparison = await readComparison(experiment, { folderOf, systems: flags.systems, shown: names.shown });
  for (const { id, reason } of comparison.leftOut) note(`left out: ${id}: ${reason}`);
  await writeFileAtomic(join(out, comparisonFile), json(comparison));
  await names.writeKey();
  if (comparison.systems.every(({ folds }) => folds.length === 0)) return;
  await writeReport(comparison, out, {
    cases: flags.cases,
    caseImages: caseImages(experiment, cases, { folderOf, shownName: (entry) => names.shown(entry).name }),
  });
  note(`comparison of ${comparison.systems.length} systems: ${resolve(out, reportFile)}`);
  print(join(out, reportFile));
}

/** The page, the tables as CSV, the numbers as JSON and every figure as a file of its own. */
async function writeReport(
  comparison: Comparison,
  out: string,
  options: Pick<ComparisonReportOptions, 'cases' | 'caseImages'>,
): Promise<void> {
  const line = progressLine('report');
  let built: ComparisonReport;
  try {
    built = await buildComparisonReport(comparison, {
      ...options,
      signal: interruptSignal,
      onProgress: ({ text, done, total }) => line.update(text, done / total),
    });
  } finally {
    line.end();
  }
  const { html, csv, json: statistics, figures } = built;
  await rm(join(out, figuresFolder), { recursive: true, force: true });
  await makeFolder(join(out, figuresFolder));
  for (const { name, svg, png } of figures) {
    await writeFileAtomic(join(out, figuresFolder, `${name}.svg`), svg);
    if (png !== undefined) await writeFileAtomic(join(out, figuresFolder, `${name}.png`), png);
  }
  for (const [name, text] of Object.entries(csv)) await writeFileAtomic(join(out, `${name}.csv`), text);
  await writeFileAtomic(join(out, 'statistics.json'), json(statistics));
  await writeFileAtomic(join(out, reportFile), html);
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** @throws OutputError for a folder that is in use for something else. */
async function checkIsExperiment(out: string): Promise<void> {
  if (!(await exists(out)) || (await exists(join(out, experimentFile))) || (await readdir(out)).length === 0) return;
  throw new OutputError(`${out} is not empty and holds no ${experimentFile}; choose a new folder`, out);
}

function dataOverride({
  list,
  images,
  labels,
}: Pick<CompareFlags, 'list' | 'images' | 'labels'>): DataOverride | undefined {
  if (list !== undefined && (images !== undefined || labels !== undefined)) {
    throw new QuickcolumnError('usage', '--list replaces --images and --labels; give one or the other');
  }
  if ((images === undefined) !== (labels === undefined)) {
    throw new QuickcolumnError('usage', '--images and --labels belong together; give both');
  }
  if (list !== undefined) return { list: resolve(list) };
  if (images === undefined || labels === undefined) return undefined;
  return { list: null, images: resolve(images), labels: resolve(labels) };
}

/** '0,2' as numbers from 0. */
function numberList(text: string): number[] {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!numbers.every((number) => Number.isSafeInteger(number) && number >= 0)) {
    throw new InvalidArgumentError('Expected whole numbers from 0, separated by commas.');
  }
  return [...new Set(numbers)];
}
