// Ours and PyTorch in turn, in one run: training step and inference of the QC-HC U-Net, as ratios of medians.
// usage: node bench/side-by-side.mjs --python PYTHON --peer qchc_torch.py [--mode f32|bf16cl] [--patch D,H,W]
//        [--root 16] [--threads 2] [--rounds 3] [--steps 4] [--runtime auto|onednn|onnx] [--precision auto|float32|bfloat16]
//        [--out FILE.md]
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './workload.mjs';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    peer: { type: 'string' },
    mode: { type: 'string', default: 'f32' },
    patch: { type: 'string', default: '48,80,80' },
    root: { type: 'string', default: '16' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '4' },
    runtime: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'auto' },
    out: { type: 'string' },
  },
});
const { python, peer, mode, root, threads, steps } = values;
const patch = values.patch.split(',');
if (!python || !peer || patch.length !== 3) {
  console.error('usage: node bench/side-by-side.mjs --python PYTHON --peer qchc_torch.py [--patch D,H,W] [--mode f32]');
  process.exit(2);
}
const ours = fileURLToPath(new URL('./step.mjs', import.meta.url));
const find = (text, pattern) => Number(text.match(pattern)?.[1] ?? Number.NaN);
const numbers = { ours: { step: [], inference: [], peak: [] }, torch: { step: [], inference: [], peak: [] } };
let torchVersion = '';
let device = '';
const env = { ...process.env, RUNTIME: values.runtime, PRECISION: values.precision };
/** Inference and training in processes of their own: the peak of each is that of nothing else. */
const mine = (skip) =>
  execFileSync(process.execPath, [ours, ...patch, root, '1', threads, steps], {
    encoding: 'utf8',
    env: { ...env, [skip]: '1' },
  });

for (let round = 0; round < Number(values.rounds); round++) {
  const training = mine('SKIP_INFERENCE');
  device = training.match(/^runtime ([^(]*)/)?.[1].trim() ?? '';
  numbers.ours.step.push(find(training, /step median ([\d.]+)/));
  numbers.ours.peak.push(find(training, /step median .*peak ([\d.]+)/));
  numbers.ours.inference.push(find(mine('SKIP_TRAINING'), /inference ([\d.]+)/));
  const theirs = execFileSync(python, [peer, ...patch, root, mode, threads, steps], { encoding: 'utf8' });
  const times = (theirs.match(/s of (.*) peak/)?.[1] ?? '').split(' ').map(Number);
  torchVersion = theirs.match(/^torch (\S+)/)?.[1] ?? '';
  numbers.torch.step.push(median(times.slice(1)));
  numbers.torch.inference.push(find(theirs, /inference ([\d.]+)/));
  numbers.torch.peak.push(find(theirs, /peak ([\d.]+)/));
  console.error(`round ${round + 1}: step ${numbers.ours.step.at(-1)} against ${numbers.torch.step.at(-1)} s`);
}

const row = (what, key, unit) => {
  const [a, b] = [median(numbers.ours[key]), median(numbers.torch[key])];
  return `| ${what} | ${a.toFixed(3)} ${unit} | ${b.toFixed(3)} ${unit} | ${(a / b).toFixed(2)} |`;
};
const table = [
  `QC-HC U-Net r = ${root}, patch ${patch.join('×')} (D×H×W), batch 1, ${threads} threads, ${values.rounds} rounds in turn; ` +
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model}, Node ${process.version}, PyTorch ${torchVersion} ${mode}`,
  '',
  `| | Quickcolumn (${device}) | PyTorch | ratio |`,
  '|---|---|---|---|',
  row('training step', 'step', 's'),
  row('inference', 'inference', 's'),
  row('peak memory', 'peak', 'GB'),
  '',
].join('\n');
console.log(table);
if (values.out) appendFileSync(values.out, `${table}\n`);
