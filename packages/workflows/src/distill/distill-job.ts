/**
 * Distillation: one model that predicts nearly as an ensemble does, at the price of one. It is a training whose configuration
 * names teachers (`distill`); this job makes that configuration on the teachers' footing and runs it. The run folder's
 * config.yaml can be trained again as any other.
 */
import { join, resolve } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { TrainConfig } from '@quickcolumn/learn';
import { readModel } from '@quickcolumn/predict';
import type { JobContext } from '../context.js';
import { checkRunFolder, runFiles } from '../folders/run-folder.js';
import type { DistillJob } from '../jobs/distill.js';
import type { TrainJobResult } from '../jobs/train.js';
import { modelFilesOf } from '../predict/model-files.js';
import { modelSettings } from '../train/model-settings.js';
import { runTraining } from '../train/run-training.js';
import { trainConfigFrom } from '../train/train-config.js';

export async function runDistillation(job: DistillJob, context: JobContext): Promise<TrainJobResult> {
  const { model: _model, request: _request, hardShare: _hardShare, ...training } = job;
  const goesOn = (await checkRunFolder(job.out, job)) === 'resume';
  const config = await (goesOn ? configToGoOn(job) : configToBegin(job));
  return await runTraining({ ...training, kind: 'train', config }, context);
}

/** The teachers' network, preparation and windows, under what the user says. */
async function configToBegin(job: DistillJob): Promise<TrainConfig> {
  const { request } = job;
  const from = teachersOf(job);
  if (from === undefined) throw new QuickcolumnError('usage', 'distillation needs teachers: name them in model');
  if (request.minutes !== undefined) {
    throw new QuickcolumnError('usage', 'a distillation is not planned for minutes; give epochs and stepsPerEpoch');
  }
  const [first] = await modelFilesOf(from[0]);
  const { metadata } = await readModel(first);
  const { hardShare } = job;
  const distill = { from, ...(hardShare !== undefined && { hardShare }) };
  return await trainConfigFrom(request, { ...modelSettings(metadata), distill });
}

/** What the run folder holds, under what the user says. */
async function configToGoOn(job: DistillJob): Promise<TrainConfig> {
  const { request, out, hardShare } = job;
  const config = await trainConfigFrom({ ...request, config: request.config ?? join(out, runFiles.config) });
  if (config.distill === undefined) {
    throw new QuickcolumnError(
      'usage',
      `${out} holds a training without teachers; go on with train, or take a new folder`,
    );
  }
  const from = teachersOf(job);
  const { weightsSha256: _weights, ...settings } = config.distill;
  // Teachers that are named anew are compared with those of the checkpoint.
  const distill = from === undefined ? config.distill : { ...settings, from };
  return { ...config, distill: { ...distill, ...(hardShare !== undefined && { hardShare }) } };
}

function teachersOf({ model }: DistillJob): string[] | undefined {
  return model === undefined ? undefined : (typeof model === 'string' ? [model] : model).map((path) => resolve(path));
}
