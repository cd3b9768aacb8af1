/**
 * The runtime that a command computes with, said on the terminal, and the file in which measured kernels of graphics cards
 * are kept: `webgpu-tiles.json` in the cache folder, by adapter. The trap: a measured choice decides the order of
 * sums, so it is kept as long as the file is; whoever removes it may see other last digits.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import {
  chooseRuntime,
  type RuntimeChoice,
  type RuntimeName,
  type RuntimeRequest,
  type TileStore,
} from '@quickcolumn/runtimes';
import { z } from 'zod';
import { exists } from './outputs.js';
import { defaultCache } from './preparation.js';
import { note, progressLine } from './terminal.js';

export interface DeviceRequest extends Pick<RuntimeRequest<RuntimeName>, 'runtime' | 'precision'> {
  /** Measures kernels of a graphics card that were not measured before. */
  readonly autotune?: boolean;
}

/** What of it was given, to lay over a configuration. */
export function givenRequest({ runtime, precision, autotune }: DeviceRequest): DeviceRequest {
  return { ...(runtime && { runtime }), ...(precision && { precision }), ...(autotune && { autotune }) };
}

/** @throws RuntimeError when what was asked for by name is not there. */
export async function chooseDevice({ runtime, precision, autotune }: DeviceRequest): Promise<RuntimeChoice> {
  const device = await chooseRuntime({ runtime, precision, ...(autotune ? { tiles: tileFile() } : {}) });
  note(device.reason);
  if (autotune && !device.provider.measuresKernels) {
    note('nothing is measured: --autotune is for graphics cards (--runtime webgpu)');
  }
  return device;
}

const tilesSchema = z.strictObject({
  format: z.literal('quickcolumn-webgpu-tiles-1'),
  adapters: z.record(z.string(), z.record(z.string(), z.string())),
});
type TileTables = z.infer<typeof tilesSchema>;

/** Measured tiles in a file. One that is damaged is said to be, counts as empty and is replaced. */
export function tileFile(folder: string = defaultCache()): TileStore {
  const path = join(folder, 'webgpu-tiles.json');
  const line = progressLine('measuring kernels of the graphics card, once');
  const tables = async (): Promise<TileTables> => {
    const text = (await exists(path)) ? await readFile(path, 'utf8') : undefined;
    const known = tilesSchema.safeParse(parsed(text ?? ''));
    if (known.success) return known.data;
    if (text !== undefined) note(`${path} has no measured kernels that can be read; they are measured anew`);
    return { format: 'quickcolumn-webgpu-tiles-1', adapters: {} };
  };
  return {
    async load(adapter) {
      return new Map(Object.entries((await tables()).adapters[adapter] ?? {}));
    },
    async save(adapter, tiles) {
      const { format, adapters } = await tables();
      await makeFolder(folder);
      const all = { format, adapters: { ...adapters, [adapter]: Object.fromEntries(tiles) } };
      await writeFileAtomic(path, `${JSON.stringify(all, null, 1)}\n`);
    },
    onProgress({ done, total }) {
      if (done < total) line.update(`${done} of ${total}`, done / total);
      else line.end(`${total} kept in ${path}`);
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
