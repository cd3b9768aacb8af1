/** The settings of a schedule: those of any one in the list. */
import type { z } from 'zod';
import { schemaOfVariants, variantOf } from '../config/variants.js';
import * as schedules from './all-schedules.js';
import type { Schedule, WarmUp } from './schedule.js';

type ConfigOf<Entry> = Entry extends Schedule<infer Config> ? Config : never;

export type ScheduleConfig = WarmUp & ConfigOf<(typeof schedules)[keyof typeof schedules]>;

export const scheduleSchema: z.ZodType<ScheduleConfig> = schemaOfVariants(schedules);

export function scheduleNamed({ kind }: ScheduleConfig): Schedule<ScheduleConfig> {
  return variantOf<Schedule<ScheduleConfig>>(schedules, kind);
}
