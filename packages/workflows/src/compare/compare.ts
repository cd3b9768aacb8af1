/** Trains and evaluates several systems on the same folds of the same cases, and reports what belongs together. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import {
  buildComparisonReport,
  type Comparison,
  type ComparisonReport,
  type ComparisonReportOptions,
} from '@quickcolumn/evaluate';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { casesOf } from '@quickcolumn/cases';
import type { JobContext } from '../context.js';
import { shownNames } from '../folders/case-names.js';
import { checkOutputFile, checkOutputFolder, entriesOf, exists, OutputError } from '../folders/outputs.js';
import type { CompareJob, CompareJobResult } from '../jobs/compare.js';
import { givenRequest } from '../runtime/choose-device.js';
import { adoptEarlierResults } from './earlier-results.js';
import { caseImages } from './case-images.js';
import { type Experiment, readExperiment } from './experiment.js';
import { experimentYaml } from './experiment-yaml.js';
import { readComparison } from './read-comparison.js';
import { runFolds, throwFailures } from './run-folds.js';

const experimentFile = 'experiment.yaml';
const comparisonFile = 'comparison.json';
const reportFile = 'report.html';
const figuresFolder = 'figures';

type FolderOf = (id: string, fold: number) => string;

export async function runComparison(job: CompareJob, context: JobContext): Promise<CompareJobResult> {
  const { out, systems, folds, redo = [], reportOnly = false, anonymizeKey } = job;
  if (reportOnly && redo.length > 0) {
    throw new QuickcolumnError('usage', 'a report alone trains nothing; leave redo out');
  }
  await checkOutputFolder(out, true);
  if (anonymizeKey !== undefined) await checkOutputFile(anonymizeKey, false);
  await checkIsExperiment(out);
  const file = job.experiment ?? join(out, experimentFile);
  if (job.experiment === undefined && !(await exists(file))) {
    throw new QuickcolumnError('usage', `${out} holds no experiment to go on with`, {
      options: { experiment: 'give one' },
    });
  }
  const folderOf: FolderOf = (id, fold) => join(out, 'systems', id, `fold-${fold}`);
  await adoptEarlierResults(join(out, experimentFile), folderOf, context);
  const experiment = await readExperiment(file, {
    data: job.data,
    compute: givenRequest(job),
  });
  let failures: readonly QuickcolumnError[] = [];
  if (!reportOnly) {
    const { cacheDir, threads, anonymize } = job;
    const onStart = async (): Promise<void> => {
      await makeFolder(out);
      await writeFileAtomic(join(out, experimentFile), experimentYaml(experiment));
    };
    const runs = { experiment, folderOf, cacheDir, threads, anonymize, anonymizeKey, systems, folds, redo, onStart };
    failures = await runFolds(runs, context);
  }
  const result = await report(experiment, folderOf, job, context);
  throwFailures(failures);
  return result;
}

async function report(
  experiment: Experiment,
  folderOf: FolderOf,
  job: CompareJob,
  context: JobContext,
): Promise<CompareJobResult> {
  const { out } = job;
  const cases = await casesOf(experiment.systems[0].config.data);
  const names = shownNames(cases, job);
  const comparison = await readComparison(experiment, { folderOf, systems: job.systems, shown: names.shown });
  for (const { id, reason } of comparison.leftOut) context.note(`left out: ${id}: ${reason}`);
  await writeFileAtomic(join(out, comparisonFile), json(comparison));
  await names.writeKey();
  if (comparison.systems.every(({ folds }) => folds.length === 0)) return { comparison };
  const options = {
    cases: job.cases,
    caseImages: caseImages(experiment, cases, { folderOf, shownName: (entry) => names.shown(entry).name }),
  };
  await writeReport(comparison, out, options, context);
  return { comparison, report: join(out, reportFile) };
}

/** The page, the tables as CSV, the numbers as JSON and every figure as a file of its own. */
async function writeReport(
  comparison: Comparison,
  out: string,
  options: Pick<ComparisonReportOptions, 'cases' | 'caseImages'>,
  context: JobContext,
): Promise<void> {
  const task = context.begin('report');
  let built: ComparisonReport;
  try {
    built = await buildComparisonReport(comparison, {
      ...options,
      signal: context.signal,
      onProgress: ({ text, done, total }) => task.update(text, done, total),
    });
  } finally {
    task.end();
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
  if ((await entriesOf(out)).length === 0 || (await exists(join(out, experimentFile)))) return;
  throw new OutputError(`${out} is not empty and holds no ${experimentFile}; choose a new folder`, out);
}
