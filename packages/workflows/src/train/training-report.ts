/** The page of a training: its curves, and the metrics of the validation cases predicted with the exported model. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomic } from '@quickcolumn/io';
import { assumptionsOf, type DatasetCase } from '@quickcolumn/cases';
import type { TrainConfig, TrainResult } from '@quickcolumn/learn';
import type { JobContext } from '../context.js';
import { distillationCaution } from '../distill/teachers.js';
import { evaluateCases, reportOf } from '../evaluate/evaluation.js';
import type { ShownNames } from '../folders/case-names.js';
import { runFiles } from '../folders/run-folder.js';
import { toYaml } from '../folders/yaml.js';
import { predictScans } from '../predict/predict-scans.js';
import { volumeInput } from '../scans/scan-inputs.js';

export interface ReportedTraining {
  readonly result: TrainResult;
  /** Predicted and measured; none for curves alone. */
  readonly cases: readonly DatasetCase[];
  readonly names: ShownNames;
}

/** Writes report.html into the run folder. */
export async function writeTrainingReport(
  config: TrainConfig,
  folder: string,
  about: ReportedTraining,
  context: JobContext,
): Promise<void> {
  const { result, names } = about;
  const cases = about.cases.map(names.shown);
  const { preparation } = config;
  const masks = await mkdtemp(join(tmpdir(), 'quickcolumn-'));
  try {
    if (cases.length > 0) {
      // With a name to show, since the masks' places are of no use to anybody.
      const scans = cases.map(({ name, imagePath }) => ({
        ...volumeInput(name, imagePath, assumptionsOf(config.data)),
        shownName: name,
      }));
      const model = join(folder, runFiles.model);
      await predictScans(
        scans,
        { model, out: masks, force: true, accept: config.data.accept, ...config.compute },
        context,
      );
    }
    const evaluation = await evaluateCases(
      cases.map(({ name, patient, imagePath, labelPath }) => ({
        name,
        patient,
        imagePath,
        truthPath: labelPath,
        predictionPath: join(masks, `${name}.nii.gz`),
      })),
      { ...preparation, assume: assumptionsOf(config.data) },
      context,
    );
    const html = reportOf(evaluation, {
      title: `Training with profile ${config.profile}`,
      subtitle: `${result.message}; ${
        cases.length === 0
          ? 'the validation cases were not predicted'
          : 'the metrics are those of the validation cases, which chose the checkpoint'
      }${config.distill === undefined ? '' : `; ${distillationCaution}`}`,
      config: toYaml(names.shownConfig(config)),
      classes: preparation.classes,
      history: result.history,
    });
    await writeFileAtomic(join(folder, runFiles.report), html);
  } finally {
    await rm(masks, { recursive: true, force: true });
  }
}
