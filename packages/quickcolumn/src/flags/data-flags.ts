/** Where the cases of a command lie: flags that belong together, checked before anything is read. */
import { resolve } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { ConfigRequest, DataOverride } from '@quickcolumn/workflows';
import { minutesToPlan, trainConfigFrom } from '@quickcolumn/workflows';
import { run } from '../terminal/run.js';
import { note } from '../terminal/terminal.js';
import type { TrainConfig } from '@quickcolumn/learn';

export interface DataFlags {
  readonly list?: string;
  readonly images?: string;
  readonly labels?: string;
}

/** In place of what an experiment says; undefined where nothing is given. @throws `usage` */
export function dataOverride({ list, images, labels }: DataFlags): DataOverride | undefined {
  refuseListAndFolders({ list, images, labels });
  if ((images === undefined) !== (labels === undefined)) {
    throw new QuickcolumnError('usage', '--images and --labels belong together; give both');
  }
  if (list !== undefined) return { list: resolve(list) };
  if (images === undefined || labels === undefined) return undefined;
  return { list: null, images: resolve(images), labels: resolve(labels) };
}

/** The configuration that flags, file and profile make together. @throws `usage` for flags that do not fit together */
export async function configFromFlags(flags: ConfigRequest): Promise<TrainConfig> {
  if (flags.minutes !== undefined) {
    throw new QuickcolumnError('usage', '--minutes plans a training that begins; this one goes on as it was planned');
  }
  return await trainConfigFrom(checkedRequest(flags));
}

/**
 * The same for a training: planned from data, machine and minutes where no profile and no file says it all.
 * @throws as `configFromFlags`, and what the data have to say
 */
export async function configToTrain(flags: ConfigRequest & { readonly threads?: number }): Promise<TrainConfig> {
  const { threads, ...request } = checkedRequest(flags);
  const minutes = await minutesToPlan(request);
  if (minutes === undefined) return await trainConfigFrom(request);
  const { config, values } = await run({ kind: 'plan', request, minutes, threads });
  note(`planned for ${minutes} minutes:`);
  for (const { key, value, why } of values) note(`  ${key}: ${value} (${why})`);
  return config;
}

/** The flags, which say where the cases are. @throws `usage` for flags that do not fit together */
export function checkedRequest<Flags extends ConfigRequest>(flags: Flags): Flags {
  refuseListAndFolders(flags);
  if (flags.config === undefined && flags.list === undefined) {
    for (const key of ['images', 'labels'] as const) {
      if (flags[key] === undefined)
        throw new QuickcolumnError('usage', `--${key} is needed where there is no --config and no --list`);
    }
  }
  return flags;
}

function refuseListAndFolders({ list, images, labels }: DataFlags): void {
  if (list === undefined || (images === undefined && labels === undefined)) return;
  throw new QuickcolumnError('usage', '--list replaces --images and --labels; give one or the other');
}
