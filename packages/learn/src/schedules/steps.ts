/** The rate times a factor from one step on, warm-up counted. */
import { z } from 'zod';
import { type Schedule, warmUp } from './schedule.js';

interface StepsConfig {
  readonly kind: 'steps';
  /** Share of all steps after which the rate is multiplied by `factor`. */
  readonly lowerAt: number;
  readonly factor: number;
}

const share = z.number().gt(0).lt(1);

export const steps: Schedule<StepsConfig> = {
  kind: 'steps',
  schema: z.strictObject({ kind: z.literal('steps'), lowerAt: share, factor: share, ...warmUp }),
  byShare: true,
  rateAt: ({ lowerAt, factor }, { learningRate }, { step, totalSteps }) =>
    step >= lowerAt * totalSteps ? learningRate * factor : learningRate,
};
