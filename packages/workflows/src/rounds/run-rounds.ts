/**
 * What rounds do by themselves until it is the person's turn: train the round, predict the scans of the next one, lay
 * out what is to be corrected. Every finished step is in state.json before the next begins, so that a kill costs a scan
 * or the unfinished epoch; training resumes from its own checkpoints.
 */
import { copyFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { consentOf, formatCaseList, type ListedCase } from '@quickcolumn/cases';
import { labelsDescription, makeFolder, writeFileAtomic, writeVolume } from '@quickcolumn/io';
import { type TrainConfig } from '@quickcolumn/learn';
import type { JobContext } from '../context.js';
import { withLock } from '../folders/lock.js';
import { exists } from '../folders/outputs.js';
import { runFiles } from '../folders/run-folder.js';
import { openPredictor } from '../predict/scan-predictor.js';
import { trainInto } from '../train/run-training.js';
import { trainConfigFrom } from '../train/train-config.js';
import { labelPath, maskName, readRounds, roundPaths, roundsFiles, saveRounds } from './folder.js';
import { writeRoundsReport } from './report.js';
import {
  casesOfRound,
  chooseBatch,
  currentRound,
  type RoundsState,
  toPredict,
  withNextRound,
  withRound,
} from './rounds-state.js';

export interface RoundOptions {
  readonly cacheDir?: string;
  readonly threads?: number;
  /** Predict and measure the validation cases in each training's report. */
  readonly evaluateValidation?: boolean;
}

/** Goes on from wherever the rounds are until the person's turn, or the end. Returns the state it came to. */
export async function runRounds(out: string, options: RoundOptions, context: JobContext): Promise<RoundsState> {
  const base = await trainConfigFrom({ config: join(out, roundsFiles.config) });
  let state = await readRounds(out);
  for (;;) {
    const { stage } = currentRound(state);
    if (stage === 'correct') return state;
    if (stage === 'train') {
      await trainRound(out, state, { base, ...options }, context);
      state = await saveRounds(out, withRound(state, { stage: 'trained' }));
      await writeRoundsReport(out, state);
    } else if (stage === 'trained') {
      const next = withNextRound(state);
      if (next === state) return state;
      state = await saveRounds(out, next);
    } else state = await predictRound(out, state, { base, threads: options.threads }, context);
  }
}

async function trainRound(
  out: string,
  state: RoundsState,
  { base, cacheDir, threads, evaluateValidation }: RoundOptions & { readonly base: TrainConfig },
  context: JobContext,
): Promise<void> {
  const round = state.rounds.length;
  const paths = roundPaths(out, round);
  const cases = casesOfRound(state, round);
  context.note(`round ${round}: training on ${cases.filter(({ use }) => use === 'train').length} cases`);
  await makeFolder(paths.folder);
  const listed = cases.map(
    ({ name, image, label, patient, use }): ListedCase => ({
      name,
      imagePath: image,
      labelPath: label ?? labelPath(resolve(out), name),
      patient,
      split: use === 'validation' ? 'validation' : 'train-only',
    }),
  );
  await writeFileAtomic(paths.list, formatCaseList(listed, resolve(paths.folder)));
  const configPath = join(paths.run, runFiles.config);
  const resume = await exists(configPath);
  const config = resume ? await trainConfigFrom({ config: configPath }) : configOfRound(out, base, round);
  const job = { kind: 'train', config, out: paths.run, cacheDir, threads, evaluateValidation } as const;
  await withLock({ place: paths.run, doing: job.kind }, () => trainInto(job, resume, context));
}

/** The configuration of the rounds with the cases of one, starting from the model of the round before. */
function configOfRound(out: string, base: TrainConfig, round: number): TrainConfig {
  const data = { ...base.data, list: resolve(roundPaths(out, round).list), patients: {}, holdOut: [] };
  if (round === 1) return { ...base, data };
  const from = resolve(roundPaths(out, round - 1).run, runFiles.model);
  const { freeze } = base.init ?? {};
  return { ...base, data, init: { from, ...(freeze && { freeze }) } };
}

/** Predicts what is missing, chooses the batch and lays it out; each scan is saved as soon as it is done. */
async function predictRound(
  out: string,
  before: RoundsState,
  { base, threads }: { readonly base: TrainConfig; readonly threads?: number },
  context: JobContext,
): Promise<RoundsState> {
  let state = before;
  const round = state.rounds.length;
  const { predicted, toCorrect } = roundPaths(out, round);
  await makeFolder(predicted);
  await makeFolder(toCorrect);
  const left = toPredict(state).filter(({ name }) => currentRound(state).entropy[name] === undefined);
  if (left.length > 0) {
    context.note(`round ${round}: predicting ${left.length} scans`);
    const model = join(roundPaths(out, round - 1).run, runFiles.model);
    const predictor = await openPredictor({ ...base.compute, ...consentOf(base.data), model, threads }, context);
    try {
      for (const { name, image } of left) {
        let sum = 0;
        let voxels = 0;
        const { labels, properties } = await predictor.predict({ name, path: image }, (_, probability) => {
          sum += entropySum(probability);
          voxels = probability.length;
        });
        const options = { like: properties, force: true, description: labelsDescription };
        await writeVolume(join(predicted, maskName(name)), labels, options);
        const { entropy } = currentRound(state);
        state = await saveRounds(out, withRound(state, { entropy: { ...entropy, [name]: sum / voxels } }));
      }
    } finally {
      await predictor.dispose();
    }
  }
  const batch = chooseBatch(state);
  for (const name of batch) await copyForCorrection(join(predicted, maskName(name)), join(toCorrect, maskName(name)));
  return await saveRounds(out, withRound(state, { stage: 'correct', batch }));
}

/** −Σ p·ln p over the voxels of one class; resampled probabilities may lie a rounding outside 0 to 1. */
export function entropySum(probability: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < probability.length; i++) {
    const p = probability[i];
    if (p > 0 && p < 1) sum -= p * Math.log(p);
  }
  return sum;
}

/** A whole copy or none, and never over a file that is there; half a copy must not lie where the person looks. */
async function copyForCorrection(from: string, to: string): Promise<void> {
  if (await exists(to)) return;
  const temporary = `${from}.tmp-${process.pid}`;
  try {
    await copyFile(from, temporary);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}
