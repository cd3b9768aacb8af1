/** The model file of a run: its best checkpoint, with everything that prediction needs and where it came from. */
import { basename, join } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import {
  averagedWeights,
  checkpointsFolder,
  exportModel,
  loadCheckpoint,
  type TrainConfig,
  type TrainResult,
} from '@quickcolumn/learn';
import type { TrainingScans } from '@quickcolumn/pipeline';
import { runFiles } from '../folders/run-folder.js';

export interface ExportedTraining {
  readonly result: TrainResult;
  /** How many cases it was trained on. */
  readonly cases: number;
  readonly notes?: string;
  /** Absent where nothing could be told of them. */
  readonly trainingScans?: TrainingScans | undefined;
}

export async function exportBest(config: TrainConfig, folder: string, about: ExportedTraining): Promise<void> {
  const checkpoint = await loadCheckpoint(join(folder, checkpointsFolder), 'best');
  if (checkpoint === undefined) throw new QuickcolumnError('internal', `${folder}: no best checkpoint after training`);
  const { state, variables } = checkpoint;
  const minutes = about.result.history.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const metadata = {
    preparation: config.preparation,
    patch: config.train.patch,
    overlap: config.predict.overlap,
    ...(about.trainingScans && { trainingScans: about.trainingScans }),
    training: {
      profile: config.profile,
      seed: config.seed,
      cases: about.cases,
      epoch: state.epoch,
      steps: state.steps,
      minutes: Number(minutes.toFixed(1)),
      ...initMetadata(config),
      ...distillMetadata(config),
      ...(state.best === null ? {} : { validationLoss: Number(state.best.loss.toFixed(5)) }),
      date: new Date().toISOString().slice(0, 10),
    },
    notes: about.notes ?? 'Research use only, not a medical device. Mind the licence of the training data.',
  };
  await exportModel(join(folder, runFiles.model), {
    network: config.network,
    variables: averagedWeights(variables),
    metadata,
  });
}

/** Whose votes were learned, for the model file. */
function distillMetadata({ distill }: TrainConfig): Record<string, string | number> {
  if (distill === undefined) return {};
  const { weightsSha256 = [], hardShare } = distill;
  return { teachers: weightsSha256.length, teacherWeightsSha256: weightsSha256.join(' '), hardShare };
}

/** Where the weights came from, for the model file. */
function initMetadata({ init }: TrainConfig): Record<string, string> {
  if (init === undefined) return {};
  const { from, weightsSha256 = '', freeze = [] } = init;
  return {
    initFile: basename(from),
    initWeightsSha256: weightsSha256,
    ...(freeze.length > 0 && { frozen: freeze.join(' ') }),
  };
}
