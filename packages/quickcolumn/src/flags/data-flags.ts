/** Where the cases of a command lie: flags that belong together, checked before anything is read. */
import { resolve } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { ConfigRequest, DataOverride } from '@quickcolumn/workflows';
import { trainConfigFrom } from '@quickcolumn/workflows';
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
  return await trainConfigFrom(checkedRequest(flags));
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
