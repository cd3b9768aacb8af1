/** One configuration on every fold of the cases, resumably; the folds are an ensemble. */
import { join } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type CaseMetrics, evaluationResult } from '@quickcolumn/evaluate';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { assumptionsOf, type DatasetCase } from '@quickcolumn/cases';
import type { JobContext } from '../context.js';
import { type Evaluation, overlayOf, writeEvaluation } from '../evaluate/evaluation.js';
import { shownNames } from '../folders/case-names.js';
import { checkOutputFile, checkOutputFolder, entriesOf, exists, OutputError, writeFolder } from '../folders/outputs.js';
import { crossValidationFile, crossValidationFold } from '../folders/run-folder.js';
import { toYaml } from '../folders/yaml.js';
import type { CrossValidateJob, CrossValidateJobResult } from '../jobs/compare.js';
import type { EvaluateJobResult } from '../jobs/evaluate.js';
import { givenRequest } from '../runtime/choose-device.js';
import { adoptEarlierResults } from './earlier-results.js';
import { type Experiment, readExperiment } from './experiment.js';
import { experimentYaml } from './experiment-yaml.js';
import { masksFolder, readResult } from './fold-files.js';
import { runFolds, throwFailures } from './run-folds.js';

const systemId = 'model';

export async function runCrossValidation(job: CrossValidateJob, context: JobContext): Promise<CrossValidateJobResult> {
  const { out, fold, cacheDir, threads, anonymize, anonymizeKey, redo } = job;
  await checkOutputFolder(out, true);
  if (anonymizeKey !== undefined) await checkOutputFile(anonymizeKey, false);
  const folderOf = (_id: string, number: number): string => crossValidationFold(out, number);
  await adoptEarlierResults(join(out, crossValidationFile), folderOf, context);
  const experiment = await chosenExperiment(job);
  let cases: readonly DatasetCase[] = [];
  const failures = await runFolds(
    {
      experiment,
      folderOf,
      cacheDir,
      threads,
      anonymize,
      anonymizeKey,
      ...(fold !== undefined && { folds: [fold] }),
      redo: redo ? [systemId] : [],
      onStart: async (all) => {
        cases = all;
        await makeFolder(out);
        await writeFileAtomic(join(out, crossValidationFile), experimentYaml(experiment));
      },
    },
    context,
  );
  const result = await evaluateAll(experiment, cases, job, context);
  throwFailures(failures);
  return result;
}

/** The one that is asked for, or the one that the folder holds. */
async function chosenExperiment({ out, config, folds, ...job }: CrossValidateJob): Promise<Experiment> {
  const file = join(out, crossValidationFile);
  const begun = await exists(file);
  if (!begun && (await entriesOf(out)).length > 0) {
    throw new OutputError(`${out} is not empty and holds no ${crossValidationFile}; choose a new folder`, out);
  }
  const compute = givenRequest(job);
  if (config === undefined) {
    if (begun && folds === undefined) return await readExperiment(file, { compute });
    throw new QuickcolumnError('usage', 'a cross-validation needs a configuration to begin with');
  }
  const { data, ...settings } = config;
  const split = data.split.kind === 'fraction' ? data.split : { kind: 'fraction' as const, validation: 0.2 };
  const title = `Cross-validation of ${settings.network.name}, profile ${settings.profile}`;
  const computed = { ...settings, compute: { ...settings.compute, ...compute } };
  const system = { id: systemId, title, config: { ...computed, data: { ...data, split } }, testTime: {} };
  return { title, folds: folds ?? 5, seed: settings.seed, systems: [system] };
}

/** All held-out cases together, each predicted by the fold that had not seen it. */
async function evaluateAll(
  { title, folds, systems: [{ config }] }: Experiment,
  all: readonly DatasetCase[],
  job: CrossValidateJob,
  context: JobContext,
): Promise<CrossValidateJobResult> {
  const { out } = job;
  const names = shownNames(all, job);
  const { preparation } = config;
  const cases: CaseMetrics[] = [];
  const overlays: Evaluation['overlays'][number][] = [];
  const unfinished: number[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const folder = crossValidationFold(out, fold);
    const result = await readResult(folder);
    if (result === undefined) {
      unfinished.push(fold);
      continue;
    }
    for (const metrics of result.cases) {
      const files = all.find(({ name }) => name === metrics.name);
      if (files === undefined) throw new QuickcolumnError('internal', `${metrics.name}: evaluated, but not a case`);
      const shown = names.shown(metrics);
      cases.push(shown);
      const predictionPath = join(folder, masksFolder, `${metrics.name}.nii.gz`);
      const { imagePath, labelPath } = files;
      const overlay = await overlayOf(
        { imagePath, truthPath: labelPath, predictionPath },
        { ...preparation, assume: assumptionsOf(config.data) },
      );
      overlays.push({ name: shown.name, overlay });
    }
  }
  if (unfinished.length > 0) {
    const missing = unfinished.map((fold) => `fold-${fold}`).join(', ');
    context.note(`${missing} not finished; all cases are evaluated together when they are`);
    return { unfinished };
  }
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
  cases.sort(byName);
  overlays.sort(byName);
  const { summary } = evaluationResult(cases);
  await writeFolder(out, async (folder) => {
    await writeEvaluation(
      folder,
      { summary, cases, overlays },
      {
        title,
        subtitle: `${folds} folds; every case predicted by the model that was trained without it`,
        config: toYaml(names.shownConfig(config)),
        classes: preparation.classes,
      },
    );
  });
  await names.writeKey();
  const evaluation: EvaluateJobResult = { summary, cases, report: join(out, 'report.html') };
  return { unfinished, evaluation };
}
