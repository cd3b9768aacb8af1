/** What a resumed training computes with: its numbers must be those of the run, whatever is the fastest here by now. */
import { join } from 'node:path';
import type { TrainConfig } from '@quickcolumn/learn';
import { exists } from '../folders/outputs.js';
import { runFiles } from '../folders/run-folder.js';
import { trainConfigFrom } from './train-config.js';

/**
 * Where `auto` is asked for, what the run folder names. A precision is only taken together with its runtime: with another
 * one the resume is refused anyway.
 * @throws as `trainConfigFrom` for a run folder whose configuration cannot be read
 */
export async function computeOfRun(runFolder: string, asked: TrainConfig['compute']): Promise<TrainConfig['compute']> {
  const path = join(runFolder, runFiles.config);
  if ((asked.runtime !== 'auto' && asked.precision !== 'auto') || !(await exists(path))) return asked;
  const { compute: kept } = await trainConfigFrom({ config: path });
  const runtime = asked.runtime === 'auto' ? kept.runtime : asked.runtime;
  const precision = asked.precision === 'auto' && runtime === kept.runtime ? kept.precision : asked.precision;
  return { ...asked, runtime, precision };
}
