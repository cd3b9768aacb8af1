/**
 * What a learning-rate schedule is: a rate for every step, and for some a state that each epoch moves on. All of it is
 * plain JSON, to be kept in checkpoints. Each schedule is one file here and one line in all-schedules.ts.
 */
import { z } from 'zod';

/** `learningRate` holds for the coming epoch (before what depends on the step); `best` is null before the first epoch. */
export interface ScheduleState {
  readonly learningRate: number;
  readonly best: number | null;
  readonly wait: number;
  readonly cooldownLeft: number;
}

/** Where a training is. */
interface StepPlace {
  /** 0-based over the whole training. */
  readonly step: number;
  readonly totalSteps: number;
  /** Share of the steps behind the warm-up that are done, 0 to 1. */
  readonly done: number;
}

export interface Schedule<Config extends { readonly kind: string }> {
  readonly kind: Config['kind'];
  readonly schema: z.ZodObject & z.ZodType<Config>;
  /** Whether rates are shares of all steps: then the number of epochs changes by an extension only (trainer/extend.ts). */
  readonly byShare: boolean;
  /** The rate of a step behind the warm-up. */
  rateAt(config: Config, state: ScheduleState, place: StepPlace): number;
  /** The state after an epoch with this mean training loss. Absent: no epoch changes it. */
  advance?(config: Config, state: ScheduleState, trainingLoss: number): ScheduleState;
}

/** Keys that every schedule has. */
export interface WarmUp {
  /** Steps over which the rate rises linearly to its own value. Absent: none. */
  readonly warmupSteps?: number;
}

export const warmUp: { warmupSteps: z.ZodOptional<z.ZodInt> } = { warmupSteps: z.int().min(1).optional() };
