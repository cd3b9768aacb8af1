/** A training step in a process of its own, for the test of its memory: `node … RUNTIME PRECISION THREADS EDGE`. */
import { readFileSync } from 'node:fs';
import { chooseRuntime, type PrecisionName, type RuntimeName } from '@quickcolumn/runtimes';
import { profiles } from '../config/profiles.js';
import { compileTrainingStep } from './step.js';

/** Resident memory of this process, now (`VmRSS`) or at its highest (`VmHWM`); proc(5). */
function residentBytes(which: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${which}:\\s*(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'));
  return 1024 * Number(found?.[1]);
}

const [, , runtime, precision, threads, edge] = process.argv;
const device = await chooseRuntime({ runtime: runtime as RuntimeName, precision: precision as PrecisionName });
const patch = [Number(edge), Number(edge), Number(edge)] as const;
const { network, loss, optimizer, seed } = profiles.paper;
const before = residentBytes('VmRSS');
const step = await compileTrainingStep({
  network,
  classes: 4,
  patch,
  batch: 1,
  loss,
  optimizer,
  seed,
  threads: Number(threads),
  device,
});
const voxels = patch[0] * patch[1] * patch[2];
const image = Float32Array.from({ length: voxels }, (_, i) => Math.sin(i * 0.37));
const labels = Uint8Array.from({ length: voxels }, (_, i) => i % 4);
for (const t of [1, 2]) await step.run({ image, labels }, { learningRate: 1e-3, step: t });
process.stdout.write(JSON.stringify({ plannedBytes: step.bytes, usedBytes: residentBytes('VmHWM') - before }));
await step.dispose();
process.exit(0);
