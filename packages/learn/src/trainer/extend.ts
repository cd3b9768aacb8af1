/**
 * Training longer than was planned: what an extension (`train.extended`) means for rates and for stopping early.
 *
 * Schedules by the share of all steps (polynomial, cosine, steps) are stretched: behind the extension the rate is that of
 * a training that was planned for the new number of epochs from the beginning, as nnU-Net's users get who raise the number of epochs
 * and continue. So the rate rises at once, the more the longer the extension: to 0.54 of the first one where a polynomial
 * training (power 0.9) is doubled, and then falls to the end. At the old end's rate of nearly 0 nothing would be learned, and
 * a new cycle from the full rate would undo what the small rates had settled. `constant` and `plateau` go on as they
 * are, a plateau with what it has counted. The wait for an early stop begins anew where it had ended the training.
 *
 * The trap: rates before the extension stay those of the old plan, also when a run folder's configuration is trained again
 * from the beginning: that gives the same weights as the training that was extended.
 */
import { join } from 'node:path';
import type { Extension, TrainConfig, TrainSettings } from '../config/train-config.js';
import { type CheckpointState, loadNewestCheckpoint } from '../run-folder/checkpoint.js';
import { learningRateAt } from '../schedules/learning-rate.js';
import { scheduleNamed } from '../schedules/schedule-config.js';
import { TrainError } from '../train-error.js';
import type { StopperState } from './early-stop.js';
import { checkpointsFolder } from './places.js';

/** How many epochs are planned at a step, 0-based over the whole training. */
function plannedEpochs({ epochs, extended = [] }: Pick<TrainSettings, 'epochs' | 'extended'>, step: number): number {
  return extended.find(({ untilStep }) => step < untilStep)?.epochs ?? epochs;
}

/** Epochs of the whole training, as planned, extended or fitted to a time (fit-epochs.ts). */
export function epochsOf(
  train: TrainSettings,
  state: Pick<CheckpointState, 'steps' | 'partial' | 'fittedEpochs'>,
): number {
  if (train.minutes !== undefined && state.fittedEpochs !== undefined) return state.fittedEpochs;
  return plannedEpochs(train, stepsOf(state));
}

/** The extensions that begin in `steps` steps from `first` on, as the numbers of epochs before and after them. */
export function extensionWithin(
  { epochs, extended = [] }: Pick<TrainSettings, 'epochs' | 'extended'>,
  first: number,
  steps: number,
): { readonly from: number; readonly to: number } | undefined {
  const within = extended.filter(({ untilStep }) => untilStep >= first && untilStep < first + steps);
  const last = within.at(-1);
  if (last === undefined) return undefined;
  return { from: within[0].epochs, to: extended[extended.indexOf(last) + 1]?.epochs ?? epochs };
}

/** The state after `steps` steps: one that had ended the training waits anew where an extension begins. */
export function stopperAt(
  stopper: StopperState,
  steps: number,
  { earlyStop, extended = [] }: Pick<TrainSettings, 'earlyStop' | 'extended'>,
): StopperState {
  const hadEnded = earlyStop !== null && stopper.wait >= earlyStop;
  return hadEnded && extended.some(({ untilStep }) => untilStep === steps) ? { ...stopper, wait: 0 } : stopper;
}

/** The configuration before each of the extensions that a checkpoint after `steps` steps may not know of yet. */
export function beforeExtensions(config: TrainConfig, steps: number): TrainConfig[] {
  const { extended = [], ...train } = config.train;
  return extended.flatMap(({ untilStep, epochs, minutes }, index): TrainConfig[] => {
    if (steps > untilStep) return [];
    const known = extended.slice(0, index);
    const time = minutes === undefined ? {} : { minutes };
    return [{ ...config, train: { ...train, epochs, ...time, ...(known.length > 0 && { extended: known }) } }];
  });
}

/**
 * Adds epochs to what the configuration plans, from where the training in `runFolder` is: finished, stopped early or
 * interrupted. Nothing is written.
 *
 * @returns the configuration to go on with, and a sentence for the user
 * @throws TrainError where there is no training yet; CheckpointError for one that cannot be read
 */
export async function extendTraining(
  runFolder: string,
  config: TrainConfig,
  more: number,
): Promise<{ readonly config: TrainConfig; readonly note: string }> {
  const checkpoint = await loadNewestCheckpoint(join(runFolder, checkpointsFolder));
  if (checkpoint === undefined) {
    throw new TrainError(`${runFolder}: there is no training to extend; set train.epochs and begin one`, { runFolder });
  }
  const { state } = checkpoint;
  // Epochs that are asked for do not end with the time.
  const { minutes, ...timeless } = config.train;
  const train = { ...timeless, epochs: epochsOf(config.train, state) };
  const before: Extension = { untilStep: stepsOf(state), epochs: train.epochs, ...(minutes && { minutes }) };
  const longer = { ...train, epochs: train.epochs + more, extended: [...(train.extended ?? []), before] };
  const { schedule, stepsPerEpoch, epochs } = longer;
  const step = before.untilStep;
  const rate = learningRateAt(schedule, state.schedule, { step, totalSteps: epochs * stepsPerEpoch });
  const rule = scheduleNamed(schedule).byShare
    ? `the rate goes on as in a training of ${epochs} epochs, with ${Number(rate.toPrecision(3))}`
    : `the rate goes on as it is, with ${Number(rate.toPrecision(3))}`;
  return { config: { ...config, train: longer }, note: `extended from ${train.epochs} to ${epochs} epochs: ${rule}` };
}

/** All steps that are done. */
export const stepsOf = ({ steps, partial }: Pick<CheckpointState, 'steps' | 'partial'>): number =>
  steps + (partial?.steps ?? 0);
