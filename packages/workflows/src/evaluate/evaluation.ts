/**
 * Evaluation of predicted masks against the truth, and the files it leaves: metrics.csv, metrics.json, report.html and
 * overlay pictures. Shared by `evaluate`, `train` (on the validation cases) and `demo`.
 */
import { join } from 'node:path';
import {
  buildReport,
  type CaseMetrics,
  evaluateCase,
  evaluationResult,
  type HistoryPoint,
  type Overlay,
  renderOverlay,
  type Summary,
  toCsv,
} from '@quickcolumn/evaluate';
import {
  type HeaderAssumptions,
  readLabels,
  readVolume,
  volumeBase,
  writeFileAtomic,
  makeFolder,
} from '@quickcolumn/io';
import { patientOf } from '@quickcolumn/cases';
import type { EpochRecord } from '@quickcolumn/learn';
import { type LabelRules, mapLabels } from '@quickcolumn/pipeline';
import type { LabelClass, Volume } from '@quickcolumn/volume';
import { z } from 'zod';
import type { JobContext } from '../context.js';
import { readSidecar } from '../scans/own-masks.js';

export interface EvaluationCase {
  readonly name: string;
  /** Default: what the name tells. */
  readonly patient?: string;
  readonly truthPath: string;
  readonly predictionPath: string;
  /** For the overlay picture and the mean HU; there is neither without it. */
  readonly imagePath?: string;
}

/** The classes and how the files of the truth are read; predictions have the classes' own values. */
export interface EvaluationOptions extends LabelRules {
  readonly classes: readonly LabelClass[];
  /** Smallest lesion that is counted; default 0.05 ml. */
  readonly minimumLesionMl?: number;
  /** What is known of files whose headers do not say it. */
  readonly assume?: HeaderAssumptions;
}

export interface Evaluation {
  readonly summary: Summary;
  readonly cases: readonly CaseMetrics[];
  readonly overlays: ReadonlyArray<{ readonly name: string; readonly overlay: Overlay }>;
}

/** A report of curves alone has an empty summary. */
const noCases: Summary = { cases: 0, patients: 0, bootstrap: { draws: 0, seed: 0, over: 'patients' }, regions: [] };

/** Measures every case, one in memory at a time. @throws the readers' and the metrics' errors, naming the case. */
export async function evaluateCases(
  cases: readonly EvaluationCase[],
  options: EvaluationOptions,
  context: JobContext,
): Promise<Evaluation> {
  const { classes, ignoreLabel, minimumLesionMl, assume } = options;
  const task = context.begin('evaluate');
  const metrics: CaseMetrics[] = [];
  const overlays: { name: string; overlay: Overlay }[] = [];
  try {
    for (const { name, patient = patientOf(name), truthPath, predictionPath, imagePath } of cases) {
      context.throwIfInterrupted();
      task.update(`${name} (${metrics.length + 1} of ${cases.length})`, metrics.length, cases.length);
      const truth = await readTruth(truthPath, options);
      const prediction = await readLabels(predictionPath, { assume });
      const image = imagePath === undefined ? undefined : await readVolume(imagePath, { assume });
      const measured = evaluateCase(truth, prediction, classes, { name, patient, ignoreLabel, image, minimumLesionMl });
      const doubts = await doubtsBeside(predictionPath);
      metrics.push(doubts === undefined ? measured : { ...measured, doubts });
      if (image === undefined) continue;
      overlays.push({ name, overlay: drawn(image, { truth, prediction }, classes, ignoreLabel) });
    }
  } finally {
    task.end();
  }
  return { summary: metrics.length > 0 ? evaluationResult(metrics).summary : noCases, cases: metrics, overlays };
}

/** A label map with the classes' values. @throws the readers' errors */
export async function readTruth(
  path: string,
  { assume, ...rules }: LabelRules & Pick<EvaluationOptions, 'assume'>,
): Promise<Volume<Uint8Array>> {
  const file = await readLabels(path, { assume });
  return { ...file, voxels: mapLabels(file.voxels, rules) };
}

/** What the sidecar of a mask tells against it, for people; undefined where it does not say, or there is none. */
async function doubtsBeside(maskPath: string): Promise<string[] | undefined> {
  const sidecar = await readSidecar(`${volumeBase(maskPath)}.json`);
  const parsed = doubtedSchema.safeParse(sidecar);
  return parsed.success ? parsed.data.doubts.map(({ message }) => message) : undefined;
}

/** As far as it is used here; any JSON may lie beside a mask. */
const doubtedSchema = z.looseObject({
  format: z.literal('quickcolumn-mask'),
  doubts: z.array(z.looseObject({ message: z.string().max(1000) })).max(100),
});

/** The picture of a case that has been measured before. @throws the readers' errors */
export async function overlayOf(
  files: { readonly imagePath: string; readonly truthPath: string; readonly predictionPath: string },
  options: EvaluationOptions,
): Promise<Overlay> {
  const { classes, ignoreLabel, assume } = options;
  const truth = await readTruth(files.truthPath, options);
  const masks = { truth, prediction: await readLabels(files.predictionPath, { assume }) };
  return drawn(await readVolume(files.imagePath, { assume }), masks, classes, ignoreLabel);
}

function drawn(
  image: Volume,
  { truth, prediction }: { truth: Volume<Uint8Array>; prediction: Volume<Uint8Array> },
  classes: readonly LabelClass[],
  ignoreLabel: number | undefined,
): Overlay {
  return renderOverlay(image, { truth: annotated(truth, ignoreLabel), prediction }, classes);
}

/** The truth with background where nobody has annotated, for pictures. */
function annotated(truth: Volume<Uint8Array>, ignoreLabel: number | undefined): Volume<Uint8Array> {
  if (ignoreLabel === undefined) return truth;
  return { ...truth, voxels: truth.voxels.map((value) => (value === ignoreLabel ? 0 : value)) };
}

/** Writes all result files of an evaluation into `folder`. */
export async function writeEvaluation(
  folder: string,
  evaluation: Evaluation,
  about: ReportTexts & { classes: readonly LabelClass[]; history?: readonly EpochRecord[] },
): Promise<void> {
  const { cases, overlays } = evaluation;
  await makeFolder(folder);
  await writeFileAtomic(join(folder, 'metrics.csv'), toCsv(cases));
  await writeFileAtomic(join(folder, 'metrics.json'), `${JSON.stringify(evaluationResult(cases), null, 2)}\n`);
  if (overlays.length > 0) await makeFolder(join(folder, 'overlays'));
  for (const { name, overlay } of overlays) {
    await writeFileAtomic(join(folder, 'overlays', `${name}.png`), overlay.pngBytes);
  }
  await writeFileAtomic(join(folder, 'report.html'), reportOf(evaluation, about));
}

interface ReportTexts {
  readonly title: string;
  readonly subtitle?: string;
  /** Configuration as YAML. */
  readonly config?: string;
}

/** The page of an evaluation, with the curves of the training where its history is given. */
export function reportOf(
  evaluation: Evaluation,
  about: ReportTexts & { classes: readonly LabelClass[]; history?: readonly EpochRecord[] },
): string {
  const { history, ...texts } = about;
  return buildReport({
    ...texts,
    summary: evaluation.summary,
    cases: evaluation.cases,
    history: history?.map(historyPoint),
    overlays: evaluation.overlays.map(({ name, overlay }) => ({
      caption: `${name}, slice ${overlay.slice}: image, truth, prediction`,
      pngBytes: overlay.pngBytes,
      doubts: evaluation.cases.find((one) => one.name === name)?.doubts,
    })),
  });
}

/** An epoch as charts want it. */
export function historyPoint({ epoch, learningRate, training, validation }: EpochRecord): HistoryPoint {
  return {
    epoch,
    learningRate,
    loss: training.loss,
    softDice: training.softDice,
    validationLoss: validation?.loss ?? null,
    validationSoftDice: validation?.softDice,
  };
}
