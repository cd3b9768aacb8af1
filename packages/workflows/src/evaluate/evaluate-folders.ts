/** Metrics of predicted masks against the truth, from folders with files of the same names. */
import { join } from 'node:path';

import { assumptionsOf } from '@quickcolumn/cases';
import { QuickcolumnError } from '@quickcolumn/errors';
import { readHistory } from '@quickcolumn/learn';
import { preparationSchema } from '@quickcolumn/pipeline';
import { covidClasses, msdClasses } from '@quickcolumn/volume';
import type { JobContext } from '../context.js';
import { shownNames } from '../folders/case-names.js';
import { checkOutputFile, checkOutputFolder, exists, writeFolder } from '../folders/outputs.js';
import type { EvaluateJob, EvaluateJobResult } from '../jobs/evaluate.js';
import { InputError, type ScanFile, scansIn, volumesIn } from '../scans/scan-files.js';
import { evaluateCases, type EvaluationCase, type EvaluationOptions, writeEvaluation } from './evaluation.js';
import { requireSidecarClasses, sidecarClasses, sidecarModels } from './sidecar-classes.js';

export async function runEvaluation(job: EvaluateJob, context: JobContext): Promise<EvaluateJobResult> {
  const { out, force = false, history: historyPath, anonymizeKey, minimumLesionMl } = job;
  await checkOutputFolder(out, force);
  if (anonymizeKey !== undefined) await checkOutputFile(anonymizeKey, force);
  const { cases, truths } = await matchCases(job);
  // Numbered over all truths, so that two models on the same cases have the same numbers.
  const { anonymous, shown, writeKey } = shownNames(truths, job);
  const left = truths.length - cases.length;
  const where = anonymous ? 'the truth' : job.truth;
  if (left > 0) context.note(`${left} of ${truths.length} cases in ${where} have no prediction and are left out`);
  if (historyPath !== undefined && !(await exists(historyPath))) {
    throw new InputError(`history: ${historyPath} does not exist`, { path: historyPath });
  }
  const history = historyPath === undefined ? undefined : await readHistory(historyPath);
  const masks = cases.map(({ predictionPath }) => predictionPath);
  const rules = await rulesOf(job, masks);
  const { classes } = rules;
  const models = await sidecarModels(masks);
  const evaluation = await evaluateCases(
    cases.map(shown),
    { ...rules, minimumLesionMl, assume: assumptionsOf(job) },
    context,
  );
  const source = anonymous ? 'names of cases are not shown' : `${job.prediction} against ${job.truth}`;
  await writeFolder(out, (folder) =>
    writeEvaluation(folder, evaluation, {
      title: 'Evaluation',
      subtitle: [`${source}, ${new Date().toISOString().slice(0, 10)}`, ...models].join('; '),
      classes,
      history,
    }),
  );
  await writeKey();
  const { summary, cases: metrics } = evaluation;
  return { summary, cases: metrics, report: join(out, 'report.html') };
}

/**
 * What the values of truth and masks mean.
 * @throws QuickcolumnError `usage`; InputError for masks of other classes than those that are asked for
 */
async function rulesOf(
  { classes, preparation, ignoreLabel }: EvaluateJob,
  maskPaths: readonly string[],
): Promise<Pick<EvaluationOptions, 'classes' | 'labels' | 'ignoreLabel'>> {
  if (preparation === undefined) {
    const named = classes === undefined ? await sidecarClasses(maskPaths) : undefined;
    return { classes: named ?? (classes === 'msd' ? msdClasses : covidClasses), ignoreLabel };
  }
  if (classes !== undefined) {
    throw new QuickcolumnError('usage', 'a configuration names the classes; leave the set of classes out');
  }
  const asked = { ...preparation, ...(ignoreLabel !== undefined && { ignoreLabel }) };
  const parsed = preparationSchema.safeParse(asked);
  if (!parsed.success) {
    throw new QuickcolumnError(
      'usage',
      `the label to ignore does not fit the configuration: ${parsed.error.issues[0].message}`,
    );
  }
  await requireSidecarClasses(maskPaths, asked.classes);
  return { classes: asked.classes, labels: asked.labels, ignoreLabel: asked.ignoreLabel };
}

async function matchCases(job: EvaluateJob): Promise<{ cases: EvaluationCase[]; truths: ScanFile[] }> {
  const all = await volumesIn(job.truth, 'truth');
  const truths = new Map(all.map(({ name, path }) => [name, path]));
  const predictions = await volumesIn(job.prediction, 'prediction');
  const scans = job.images === undefined ? [] : await scansIn(job.images, 'images');
  const images = new Map(scans.map(({ name, path }) => [name, path]));
  const unmatched = predictions.filter(({ name }) => !truths.has(name)).map(({ name }) => name);
  if (unmatched.length > 0) {
    throw new InputError(`${job.truth}: no truth for ${unmatched.join(', ')}; files must have the same name`, {
      unmatched,
    });
  }
  const cases = predictions.map(({ name, path }) => ({
    name,
    truthPath: truths.get(name) ?? '',
    predictionPath: path,
    imagePath: images.get(name),
  }));
  return { cases, truths: all };
}
