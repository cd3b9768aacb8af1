/** The same rate in every step. */
import { z } from 'zod';
import { type Schedule, warmUp } from './schedule.js';

interface ConstantConfig {
  readonly kind: 'constant';
}

export const constant: Schedule<ConstantConfig> = {
  kind: 'constant',
  schema: z.strictObject({ kind: z.literal('constant'), ...warmUp }),
  byShare: false,
  rateAt: (_config, { learningRate }) => learningRate,
};
