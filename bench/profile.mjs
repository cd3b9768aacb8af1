// Where the time of a training step (or a prediction) goes on the onednn runtime: per operation and implementation,
// with GFLOP/s against the peak that this machine reaches in large convolutions.
// usage: node bench/profile.mjs D H W ROOT BATCH THREADS [train|predict] [ROUNDS]
import { trainingGraph } from '../packages/learn/dist/index.js';
import { predictionGraph } from '../packages/networks/dist/index.js';
import { measureSpeed, openOneDnn } from '../packages/runtimes/dist/index.js';
import { network, optimization, patchOf, sampleOf } from './workload.mjs';

const [depth, height, width, rootFilters, batch, threads] = process.argv.slice(2, 8).map(Number);
const [kind = 'train', rounds = '5'] = process.argv.slice(8);
const runtime = await openOneDnn();
const precision = process.env.PRECISION ?? runtime.precision;
const grid = [depth, height, width];
const patch = patchOf(grid);
const graph =
  kind === 'predict'
    ? predictionGraph(network(rootFilters), 4, patch, batch)
    : trainingGraph({ network: network(rootFilters), classes: 4, patch, batch, seed: 1, ...optimization });
const { gflops: peak } = await measureSpeed(runtime, { threads, precision });
const executable = await runtime.compile(graph, { threads, precision });
const { image, labels } = sampleOf(grid, batch);
const inputs = kind === 'predict' ? { image } : { image, labels, rate: Float32Array.of(1e-4) };
await executable.run(inputs);

// The least of several rounds for each step: what it takes when nothing else disturbs it.
let best;
for (let round = 0; round < Number(rounds); round++) {
  const times = await executable.profile(inputs);
  best = best?.map((step, i) => (step.milliseconds < times[i].milliseconds ? step : times[i])) ?? times;
}
const groups = new Map();
for (const { label, flop, milliseconds } of best) {
  const group = groups.get(label) ?? { count: 0, milliseconds: 0, flop: 0 };
  groups.set(label, {
    count: group.count + 1,
    milliseconds: group.milliseconds + milliseconds,
    flop: group.flop + flop,
  });
}
const total = best.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
console.log(
  `${kind}, ${grid.join('×')} batch ${batch}, r = ${rootFilters}, ${precision}, oneDNN ${runtime.version}, ` +
    `${threads} threads; peak of large convolutions ${peak.toFixed(0)} GFLOP/s\n`,
);
console.log('| operation, implementation | calls | ms | share | GFLOP/s | of peak |\n|---|---|---|---|---|---|');
for (const [label, { count, milliseconds, flop }] of [...groups].sort(
  ([, a], [, b]) => b.milliseconds - a.milliseconds,
)) {
  if (milliseconds < total / 500) continue;
  const speed = flop / milliseconds / 1e6;
  const rate = flop === 0 ? '| |' : `${speed.toFixed(0)} | ${((100 * speed) / peak).toFixed(0)} % |`;
  console.log(
    `| ${label} | ${count} | ${milliseconds.toFixed(2)} | ${((100 * milliseconds) / total).toFixed(1)} % | ${rate}`,
  );
}
console.log(`\nsum ${total.toFixed(1)} ms; on plain loops: ${executable.slow.length === 0 ? 'none' : executable.slow}`);
await executable.dispose();
