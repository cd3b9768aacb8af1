/** rate·(1 − share of the steps done)^power: that of nnU-Net (power 0.9), by step instead of by epoch. */
import { z } from 'zod';
import { type Schedule, warmUp } from './schedule.js';

interface PolynomialConfig {
  readonly kind: 'polynomial';
  readonly power: number;
}

export const polynomial: Schedule<PolynomialConfig> = {
  kind: 'polynomial',
  schema: z.strictObject({ kind: z.literal('polynomial'), power: z.number().gt(0), ...warmUp }),
  byShare: true,
  rateAt: ({ power }, { learningRate }, { done }) => learningRate * (1 - done) ** power,
};
