/**
 * The file in which measured kernels of graphics cards are kept: `webgpu-tiles.json` in the cache folder, by adapter. The
 * trap: a measured choice decides the order of sums, so it is kept as long as the file is; whoever removes it may see
 * other last digits.
 */
import { join } from 'node:path';
import type { TileStore } from '@quickcolumn/runtimes';
import { z } from 'zod';
import type { JobContext } from '../context.js';
import { defaultCache } from '../folders/cache-folder.js';
import { readKept, writeKept } from './kept-measurements.js';

const tilesSchema = z.strictObject({
  format: z.literal('quickcolumn-webgpu-tiles-1'),
  adapters: z.record(z.string(), z.record(z.string(), z.string())),
});
type TileTables = z.infer<typeof tilesSchema>;

/** Measured tiles in a file. A damaged file is reported, counts as empty and is replaced. */
export function measuredKernels(
  context: Pick<JobContext, 'note' | 'begin'>,
  folder: string = defaultCache(),
): TileStore {
  const path = join(folder, 'webgpu-tiles.json');
  const task = context.begin('measure kernels');
  const tables = async (): Promise<TileTables> =>
    (await readKept(path, tilesSchema, { what: 'measured kernels', context })) ?? {
      format: 'quickcolumn-webgpu-tiles-1',
      adapters: {},
    };
  return {
    async load(adapter) {
      return new Map(Object.entries((await tables()).adapters[adapter] ?? {}));
    },
    async save(adapter, tiles) {
      const { format, adapters } = await tables();
      await writeKept(folder, path, { format, adapters: { ...adapters, [adapter]: Object.fromEntries(tiles) } });
    },
    onProgress({ done, total }) {
      if (done < total) task.update(`${done} of ${total}`, done, total);
      else task.end(`${total} kept in ${path}`);
    },
  };
}
