/**
 * Lowers the rate when the training loss stops to fall, counting as Keras' ReduceLROnPlateau does, which Müller et al.
 * trained with (spec 6): the cooldown counter is lowered before the epoch is judged, so a cooldown of 1 lets the very next
 * epoch count again.
 */
import { z } from 'zod';
import { type Schedule, warmUp } from './schedule.js';

interface PlateauConfig {
  readonly kind: 'plateau';
  readonly factor: number;
  /** Epochs without an improvement of at least `minDelta` before the rate is lowered. */
  readonly patience: number;
  readonly minDelta: number;
  readonly cooldown: number;
  /** The rate never goes below this. */
  readonly floor: number;
}

export const plateau: Schedule<PlateauConfig> = {
  kind: 'plateau',
  schema: z.strictObject({
    kind: z.literal('plateau'),
    factor: z.number().gt(0).lt(1),
    patience: z.int().min(1),
    minDelta: z.number().min(0),
    cooldown: z.int().min(0),
    floor: z.number().min(0),
    ...warmUp,
  }),
  byShare: false,
  rateAt: (_config, { learningRate }) => learningRate,
  advance(config, state, trainingLoss) {
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
  },
};
