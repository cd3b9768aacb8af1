/**
 * Learning-rate schedules and the early stop, as pure state machines whose state is plain JSON.
 *
 * `plateau` counts as Keras' ReduceLROnPlateau does, which Müller et al. trained with (spec 6): the cooldown counter
 * is lowered before the epoch is judged, so a cooldown of 1 lets the very next epoch count again.
 * The others depend on the step number only, so they have no state beyond the base rate; `polynomial` is that of
 * nnU-Net (power 0.9), by step instead of by epoch, `cosine` that of Loshchilov and Hutter (2017) without restarts.
 * Warm-up multiplies any of them; polynomial and cosine count their steps from its end.
 */
import type { ScheduleConfig } from './objective-config.js';

/** `learningRate` holds for the coming epoch (before what depends on the step); `best` is null before the first epoch. */
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
  const { warmupSteps = 0 } = config;
  if (step < warmupSteps) return (state.learningRate * (step + 1)) / warmupSteps;
  const done = totalSteps > warmupSteps ? Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps)) : 0;
  switch (config.kind) {
    case 'plateau':
    case 'constant':
      return state.learningRate;
    case 'steps':
      return step >= config.lowerAt * totalSteps ? state.learningRate * config.factor : state.learningRate;
    case 'polynomial':
      return state.learningRate * (1 - done) ** config.power;
    case 'cosine':
      return config.floor + ((state.learningRate - config.floor) * (1 + Math.cos(Math.PI * done))) / 2;
  }
}

/** The state after an epoch with this mean training loss. */
export function advanceSchedule(config: ScheduleConfig, state: ScheduleState, trainingLoss: number): ScheduleState {
  if (config.kind !== 'plateau') return state;
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
