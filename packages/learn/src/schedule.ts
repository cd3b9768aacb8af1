/**
 * Learning-rate schedules and the early stop, as pure state machines whose state is plain JSON.
 *
 * `plateau` counts as Keras' ReduceLROnPlateau does, which Müller et al. trained with (spec 6): the cooldown counter
 * is lowered before the epoch is judged, so a cooldown of 1 lets the very next epoch count again.
 * `steps` depends on the step number only, so it has no state beyond the base rate.
 */
import type { ScheduleConfig } from './config.js';

/** `learningRate` holds for the coming epoch (before the factor of `steps`); `best` is null before the first epoch. */
export interface ScheduleState {
  readonly learningRate: number;
  readonly best: number | null;
  readonly wait: number;
  readonly cooldownLeft: number;
}

export function startSchedule(learningRate: number): ScheduleState {
  return { learningRate, best: null, wait: 0, cooldownLeft: 0 };
}

/** The rate of step `step` (0-based over the whole training) of `totalSteps`. */
export function learningRateAt(
  config: ScheduleConfig,
  state: ScheduleState,
  { step, totalSteps }: { readonly step: number; readonly totalSteps: number },
): number {
  if (config.kind === 'steps' && step >= config.lowerAt * totalSteps) return state.learningRate * config.factor;
  return state.learningRate;
}

/** The state after an epoch with this mean training loss. */
export function advanceSchedule(config: ScheduleConfig, state: ScheduleState, trainingLoss: number): ScheduleState {
  if (config.kind === 'steps') return state;
  let { learningRate, best, wait, cooldownLeft } = state;
  if (cooldownLeft > 0) {
    cooldownLeft--;
    wait = 0;
  }
  if (best === null || trainingLoss < best - config.minDelta) {
    return { learningRate, best: trainingLoss, wait: 0, cooldownLeft };
  }
  if (cooldownLeft === 0) {
    wait++;
    if (wait >= config.patience && learningRate > config.floor) {
      learningRate = Math.max(learningRate * config.factor, config.floor);
      cooldownLeft = config.cooldown;
      wait = 0;
    }
  }
  return { learningRate, best, wait, cooldownLeft };
}

/** Epochs since the training loss was last at its best. */
export interface StopperState {
  readonly best: number | null;
  readonly wait: number;
}

export function advanceStopper(state: StopperState, trainingLoss: number): StopperState {
  if (state.best === null || trainingLoss < state.best) return { best: trainingLoss, wait: 0 };
  return { best: state.best, wait: state.wait + 1 };
}
