// Ours and PyTorch in turn, in one run: training step and inference of the QC-HC U-Net, as ratios of medians.
// Of several modes PyTorch's fastest counts, for the step and for inference each.
// usage: node bench/side-by-side.mjs --python PYTHON --peer qchc_torch.py [--mode f32,f32cl,bf16cl] [--patch D,H,W]
//        [--root 16] [--threads 2] [--rounds 3] [--steps 4] [--runtime auto|onednn|onnx] [--precision auto|float32|bfloat16]
//        [--out FILE.md]
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './workload.mjs';

const usage =
  'usage: node bench/side-by-side.mjs --python PYTHON --peer qchc_torch.py [--patch D,H,W] [--mode f32,f32cl,bf16cl]';
const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    peer: { type: 'string' },
    mode: { type: 'string', default: 'f32,f32cl,bf16cl' },
    patch: { type: 'string', default: '48,80,80' },
    root: { type: 'string', default: '16' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '4' },
    runtime: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'auto' },
    out: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const { python, peer, root, threads, steps } = values;
const patch = values.patch.split(',');
const modes = values.mode.split(',');
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (!python || !peer || patch.length !== 3) {
  console.error(usage);
  process.exit(2);
}
const ours = fileURLToPath(new URL('./step.mjs', import.meta.url));
const find = (text, pattern) => Number(text.match(pattern)?.[1] ?? Number.NaN);
const noTimes = () => ({ step: [], inference: [], peak: [] });
const times = { ours: noTimes(), ...Object.fromEntries(modes.map((mode) => [mode, noTimes()])) };
const devices = { step: '', inference: '' };
let torchVersion = '';
const env = { ...process.env, RUNTIME: values.runtime, PRECISION: values.precision };
/** Inference and training in processes of their own: the peak of each is that of nothing else. */
const mine = (what, skip) => {
  const text = execFileSync(process.execPath, [ours, ...patch, root, '1', threads, steps], {
    encoding: 'utf8',
    env: { ...env, [skip]: '1' },
  });
  devices[what] = text.match(/^runtime ([^(]*)/m)?.[1].trim() ?? '';
  return text;
};

for (let round = 0; round < Number(values.rounds); round++) {
  const training = mine('step', 'SKIP_INFERENCE');
  times.ours.step.push(find(training, /step median ([\d.]+)/));
  times.ours.peak.push(find(training, /step median .*peak ([\d.]+)/));
  times.ours.inference.push(find(mine('inference', 'SKIP_TRAINING'), /inference ([\d.]+)/));
  for (const mode of modes) {
    const theirs = execFileSync(python, [peer, ...patch, root, mode, threads, steps], { encoding: 'utf8' });
    const ofSteps = (theirs.match(/s of (.*) peak/)?.[1] ?? '').split(' ').map(Number);
    torchVersion = theirs.match(/^torch (\S+)/)?.[1] ?? '';
    times[mode].step.push(median(ofSteps.slice(1)));
    times[mode].inference.push(find(theirs, /inference ([\d.]+)/));
    times[mode].peak.push(find(theirs, /peak ([\d.]+)/));
  }
  const steppedIn = Object.entries(times).map(([name, { step }]) => `${name} ${step.at(-1).toFixed(3)}`);
  console.error(`round ${round + 1}: step ${steppedIn.join(', ')} s; load ${loadavg()[0].toFixed(1)}`);
}

const columns = { step: ['training step', 's'], inference: ['inference', 's'], peak: ['peak memory', 'GB'] };
const rows = Object.entries(columns).map(([key, [what, unit]]) => {
  const all = modes.map((mode) => median(times[mode][key]));
  const [own, best] = [median(times.ours[key]), Math.min(...all)];
  const cells = [own, ...all].map((value) => `${value.toFixed(3)} ${unit}`);
  return `| ${what} | ${cells.join(' | ')} | ${(own / best).toFixed(2)} (${modes[all.indexOf(best)]}) |`;
});
const device = devices.step === devices.inference ? devices.step : `${devices.step}; inference ${devices.inference}`;
const table = [
  `QC-HC U-Net r = ${root}, patch ${patch.join('×')} (D×H×W), batch 1, ${threads} threads, ${values.rounds} rounds in turn; ` +
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0].model}, Node ${process.version}, PyTorch ${torchVersion}`,
  '',
  `| | Quickcolumn (${device}) | ${modes.map((mode) => `PyTorch ${mode}`).join(' | ')} | ratio to the fastest |`,
  `|---|---|${modes.map(() => '---|').join('')}---|`,
  ...rows,
  '',
].join('\n');
console.log(table);
if (values.out) appendFileSync(values.out, `${table}\n`);
