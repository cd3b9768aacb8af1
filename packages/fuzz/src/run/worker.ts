/**
 * The process that reads the cases of one run; started by run.ts, which watches it. It says which case it begins before it
 * begins it, so that the one that hangs or kills it is known.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limitAllocations } from './allocations.js';
import { allocationLimit, makeCase, runCase } from './cases.js';
import { readers } from '../readers/readers.js';
import type { WorkerTask, WorkerMessage } from './messages.js';

async function work({ reader: name, seed, from, to }: WorkerTask): Promise<void> {
  const reader = readers.find((candidate) => candidate.name === name);
  if (reader === undefined) throw new Error(`no reader ${name}`);
  const seeds = await reader.seeds();
  const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-fuzz-'));
  const allocations = limitAllocations(allocationLimit);
  try {
    for (const [file, bytes] of Object.entries(reader.beside ?? {})) await writeFile(join(folder, file), bytes);
    for (let index = from; index < to; index++) {
      tell({ begins: index });
      const fuzzCase = makeCase(reader, seeds, seed, index);
      const start = performance.now();
      const outcome = await runCase(reader, fuzzCase, folder, allocations);
      tell({ index, seedName: fuzzCase.seed.name, milliseconds: performance.now() - start, ...outcome });
    }
    tell({ done: true, peakBytes: process.resourceUsage().maxRSS * 1024 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}

process.once('message', (task: WorkerTask) => {
  work(task).then(
    () => process.disconnect(),
    (error: unknown) => {
      tell({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      process.disconnect();
    },
  );
});
