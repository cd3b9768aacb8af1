// Ours and PyTorch in turn, in one run: training step and inference of the QC-HC U-Net, as ratios of medians.
// usage: node bench/side-by-side.mjs --python PYTHON --peer qchc_torch.py [--mode f32] [--patch D,H,W] [--root 16]
//        [--threads 2] [--rounds 3] [--steps 4] [--out FILE.md]
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

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
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const find = (text, pattern) => Number(text.match(pattern)?.[1] ?? Number.NaN);
const numbers = { ours: { step: [], inference: [], peak: [] }, torch: { step: [], inference: [], peak: [] } };
let torchVersion = '';

for (let round = 0; round < Number(values.rounds); round++) {
  const mine = execFileSync(process.execPath, [ours, ...patch, root, '1', threads, steps], { encoding: 'utf8' });
  numbers.ours.step.push(find(mine, /step median ([\d.]+)/));
  numbers.ours.inference.push(find(mine, /inference ([\d.]+)/));
  numbers.ours.peak.push(find(mine, /step median .*peak ([\d.]+)/));
  const theirs = execFileSync(python, [peer, ...patch, root, mode, threads, steps], { encoding: 'utf8' });
  const times = (theirs.match(/s of (.*) peak/)?.[1] ?? '').split(' ').map(Number);
  torchVersion = theirs.match(/^torch (\S+)/)?.[1] ?? '';
  numbers.torch.step.push(median(times));
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
  '| | Quickcolumn (onnx, float32) | PyTorch | ratio |',
  '|---|---|---|---|',
  row('training step', 'step', 's'),
  row('inference', 'inference', 's'),
  row('peak memory', 'peak', 'GB'),
  '',
].join('\n');
console.log(table);
if (values.out) appendFileSync(values.out, `${table}\n`);
