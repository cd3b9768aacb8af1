/**
 * The file in which the measured speeds of precisions are kept: `precisions.json` in the cache folder, by runtime, its
 * version, the processor and the number of threads. What is measured beside other work is measured once more when there is
 * none. The trap: a virtual machine may hide instructions (AMX) behind the name of a processor that has them, so what
 * the runtime uses of it is part of the key.
 */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { FileError } from '@quickcolumn/io';
import { candidatePrecisions, measurePrecisions, type PrecisionSpeed, type Runtime } from '@quickcolumn/runtimes';
import { z } from 'zod';
import type { JobContext } from '../context.js';
import { defaultCache } from '../folders/cache-folder.js';
import { readKept, writeKept } from './kept-measurements.js';

const speed: z.ZodType<PrecisionSpeed> = z.strictObject({
  precision: z.enum(['float32', 'bfloat16', 'float16']),
  stepSeconds: z.number().positive(),
  predictionSeconds: z.number().positive(),
});
const measurement = z.strictObject({ besideOtherWork: z.boolean(), speeds: z.array(speed).readonly() });
const keptSchema = z.strictObject({
  format: z.literal('quickcolumn-precisions-1'),
  measured: z.record(z.string(), measurement),
});
type Kept = z.infer<typeof keptSchema>;

export interface MeasuringPlace {
  /** Default: all cores. */
  readonly threads?: number | undefined;
  readonly folder?: string;
  /** How much of the processor other work takes, in cores; tests set it. */
  readonly load?: number;
}

/** Where they are kept. */
export const precisionsFile = (folder: string = defaultCache()): string => join(folder, 'precisions.json');

/**
 * The speeds of a runtime's precisions here: those that are kept, else measured now and kept. A damaged file is noted and
 * replaced; where nothing can be written that is noted, too, and the next job measures again.
 * @throws RuntimeError as the runtime does; `interrupted`
 */
export async function measuredPrecisions(
  runtime: Runtime,
  context: Pick<JobContext, 'note' | 'begin' | 'throwIfInterrupted'>,
  { threads = availableParallelism(), folder = defaultCache(), load = loadavg()[0] }: MeasuringPlace = {},
): Promise<readonly PrecisionSpeed[]> {
  const path = precisionsFile(folder);
  const key = keyOf(runtime, threads);
  const wanted = candidatePrecisions(runtime).join();
  const cores = cpus().length;
  // Within a quarter of the processor its own threads and the system's find a place.
  const besideOtherWork = load + threads > 1.25 * cores;
  const read = async (note: (text: string) => void): Promise<{ all: Kept['measured']; own?: typeof speeds }> => {
    const all = (await readKept(path, keptSchema, { what: 'measured precisions', context: { note } }))?.measured ?? {};
    const own = all[key];
    const isOf = own?.speeds.map(({ precision }) => precision).join() === wanted;
    return isOf && (besideOtherWork || !own.besideOtherWork) ? { all, own: own.speeds } : { all };
  };
  const { own } = await read(context.note);
  if (own !== undefined) return own;
  const speeds = await measure(runtime, context, { threads });
  if (besideOtherWork) {
    context.note(
      `the precisions were measured beside other work (load ${load.toFixed(1)}, ${cores} cores): they are measured once more ` +
        'when there is none',
    );
  }
  // Of jobs that measure at the same time the first decides, so that they choose alike. Damage was noted above.
  const meanwhile = await read(() => undefined);
  if (meanwhile.own !== undefined) return meanwhile.own;
  const measured = { ...meanwhile.all, [key]: { besideOtherWork, speeds } };
  try {
    await writeKept(folder, path, { format: 'quickcolumn-precisions-1', measured } satisfies Kept);
  } catch (error) {
    // A prediction needs no cache folder.
    if (!(error instanceof FileError)) throw error;
    context.note(`the measured precisions are not kept: ${error.message}`);
  }
  return speeds;
}

async function measure(
  runtime: Runtime,
  context: Pick<JobContext, 'begin' | 'throwIfInterrupted'>,
  { threads }: { readonly threads: number },
): Promise<readonly PrecisionSpeed[]> {
  const task = context.begin('measure precisions');
  try {
    return await measurePrecisions(runtime, {
      threads,
      onProgress({ done, total }) {
        context.throwIfInterrupted();
        task.update(`${done} of ${total}`, done, total);
      },
    });
  } finally {
    task.end();
  }
}

function keyOf({ name, version, instructions }: Runtime, threads: number): string {
  const processor = cpus()[0]?.model.trim() || process.arch;
  const library = instructions === undefined ? `${name} ${version}` : `${name} ${version}, ${instructions}`;
  return `${library}, ${processor}, ${threads} threads`;
}
