/** One case of the fuzzer: which bytes it has, and what a reader makes of them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { Allocations } from './allocations.js';
import { createRandom } from '../mutation/random.js';
import type { FuzzReader, FuzzSeed } from '../readers/reader.js';

/** Largest image that readers are allowed; the fuzzer reports any single allocation above `allocationLimit`. */
const maxBytes = 64 * 2 ** 20;
/** `maxBytes`, and a chunk of a stream beside it. */
export const allocationLimit: number = maxBytes + 2 ** 21;
/** All allocations of one case together: the image, its labels, and streams of chunks to the end of the allowance. */
const totalLimit = 6 * maxBytes;

/** What came of a case: the code of the error, `read`, or a finding with a description. */
export interface Outcome {
  readonly code: string;
  readonly finding?: string;
}

export interface FuzzCase {
  readonly seed: FuzzSeed;
  readonly bytes: Uint8Array;
}

/** Case `index` of a run; the first cases are the seeds as they are. */
export function makeCase(reader: FuzzReader, seeds: readonly FuzzSeed[], runSeed: number, index: number): FuzzCase {
  if (index < seeds.length) return { seed: seeds[index], bytes: seeds[index].bytes };
  const random = createRandom(runSeed, index);
  const seed = random.pick(seeds);
  return { seed, bytes: reader.vary(seed, random, random.pick(seeds).bytes) };
}

/** Writes the case into `folder` and reads it. */
export async function runCase(
  reader: FuzzReader,
  { seed, bytes }: FuzzCase,
  folder: string,
  allocations?: Allocations,
): Promise<Outcome> {
  const path = join(folder, `case${seed.extension}`);
  await writeFile(path, bytes);
  if (allocations !== undefined) Object.assign(allocations, { largest: 0, total: 0 });
  const outcome = await reader.read(path, maxBytes).then((): Outcome => ({ code: 'read' }), describeFailure);
  if (outcome.finding !== undefined || allocations === undefined) return outcome;
  if (allocations.largest > allocationLimit) {
    return { code: outcome.code, finding: `one allocation of ${allocations.largest} bytes` };
  }
  if (allocations.total > totalLimit) return { code: outcome.code, finding: `${allocations.total} bytes allocated` };
  return outcome;
}

function describeFailure(error: unknown): Outcome {
  if (error instanceof QuickcolumnError && error.message !== '') return { code: error.code };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'untyped', finding: text.split('\n').slice(0, 4).join(' | ') };
}
