/** Half a cosine from the rate down to the floor (Loshchilov and Hutter 2017), without restarts. */
import { z } from 'zod';
import { type Schedule, warmUp } from './schedule.js';

interface CosineConfig {
  readonly kind: 'cosine';
  /** The rate at the end. */
  readonly floor: number;
}

export const cosine: Schedule<CosineConfig> = {
  kind: 'cosine',
  schema: z.strictObject({ kind: z.literal('cosine'), floor: z.number().min(0), ...warmUp }),
  byShare: true,
  rateAt: ({ floor }, { learningRate }, { done }) =>
    floor + ((learningRate - floor) * (1 + Math.cos(Math.PI * done))) / 2,
};
