/**
 * The learning rate of every step, by the schedule of a configuration. Warm-up multiplies any of them; those that go by
 * the share of steps done count from its end.
 */
import type { ScheduleState } from './schedule.js';
import { type ScheduleConfig, scheduleNamed } from './schedule-config.js';

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
  return scheduleNamed(config).rateAt(config, state, { step, totalSteps, done });
}

/** The state after an epoch with this mean training loss. */
export function advanceSchedule(config: ScheduleConfig, state: ScheduleState, trainingLoss: number): ScheduleState {
  return scheduleNamed(config).advance?.(config, state, trainingLoss) ?? state;
}
