// Makes the folders in v0/: what an earlier version of quickcolumn left on disk, begun, interrupted and finished.
//
// Needs a built checkout of that version:
//   node test/earlier/make.mjs PATH_OF_A_BUILT_CHECKOUT
// v0/expected.json tells which commit it was, and what the interrupted work came to where nothing interrupted it. The
// data are phantoms, which the tests write again (their hash is in expected.json). The folder in which all was made is
// written as @EARLIER@ in every text file, runtime and processor as @COMPUTE@; the tests put their own there. Networks
// are as small as they can be: all of v0/ may have 1.5 MB, a file 300 kB. Interruptions are tried again until they hit.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';

if (process.argv.length !== 3) throw new Error('usage: node test/earlier/make.mjs PATH_OF_A_BUILT_CHECKOUT');
const checkout = resolve(process.argv[2]);
const program = join(checkout, 'packages/cli/dist/main.js');
const ofPackage = async (name) => await import(pathToFileURL(join(checkout, `packages/${name}/dist/index.js`)).href);
const { writePhantomCases } = await ofPackage('phantom');
const { readModel } = await ofPackage('predict');
const { readLabels } = await ofPackage('io');

const git = (...args) => execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8' }).trim();
const commit = git('rev-parse', 'HEAD');
if (git('status', '--porcelain') !== '') throw new Error(`${checkout} has changes; the fixtures need a commit`);

const root = await mkdtemp(join(tmpdir(), 'quickcolumn-earlier-'));
const work = join(root, 'work');
const at = (...path) => join(work, ...path);
const env = { ...process.env, QUICKCOLUMN_CACHE: join(root, 'cache'), NO_COLOR: '1' };
const compute = 'compute: { runtime: onnx, precision: float32 }\n';
const tiny = (network, rest) => `profile: quick
${compute}preparation: { spacingMm: [10, 10, 10] }
network: ${network}
predict: { overlap: [4, 4, 4] }
${rest}`;
const folders = 'data: { images: data/ct, labels: data/labels }\n';
const smallest = '{ name: nnunet3d, rootFilters: 1, maxFilters: 2, deepSupervision: true }';
const row = (n, labelled) => `data/ct/phantom_000${n}.nii,${labelled ? `data/labels/phantom_000${n}.nii` : ''}`;

const say = (line) => process.stdout.write(`${line}\n`);

/** What a user wrote. */
const written = {
  // Plain momentum: its two copies of the weights of the default network stay below the limit of a file.
  'run.yaml': tiny(
    '{ rootFilters: 1 }',
    `${folders}train: { patch: [16, 16, 16], epochs: 4, stepsPerEpoch: 3, learningRate: 0.01 }
optimizer: { kind: sgd, momentum: 0.9, nesterov: true, weightDecay: 0.00003, clipNorm: 12 }
`,
  ),
  'model.yaml': tiny(
    '{ rootFilters: 1 }',
    `${folders}train: { patch: [16, 16, 16], epochs: 12, stepsPerEpoch: 10, learningRate: 0.01 }\n`,
  ),
  'cross-validation.yaml': tiny(
    '{ name: nnunet3d, rootFilters: 2, maxFilters: 4, deepSupervision: true }',
    `${folders}train: { patch: [16, 16, 16], epochs: 4, stepsPerEpoch: 5, learningRate: 0.02 }\n`,
  ),
  'cases.yaml': tiny(
    smallest,
    'data: { list: cases.csv }\ntrain: { patch: [16, 16, 16], epochs: 3, stepsPerEpoch: 10, learningRate: 0.03 }\n',
  ),
  'cases.csv': `image,label\n${[row(1, true), row(2, true), row(3, false), row(4, false)].join('\n')}\n`,
  'comparison.yaml': `title: Earlier
folds: 2
seed: 1
base:
  profile: quick
  ${compute}  data: { images: data/ct, labels: data/labels }
  preparation: { spacingMm: [10, 10, 10] }
  train: { patch: [16, 16, 16], epochs: 4, stepsPerEpoch: 5, learningRate: 0.02 }
  predict: { overlap: [4, 4, 4] }
systems:
  - { id: vb, title: VB-Net, network: { name: vb-net, rootFilters: 1 } }
  - { id: nnunet, network: { name: nnunet3d, rootFilters: 2, maxFilters: 4, deepSupervision: true } }
  - { id: mirrored, weightsOf: nnunet, predict: { mirror: [x], postProcessing: { keepLargest: { left lung: 1 } } } }
`,
};

async function quickcolumn(...args) {
  say(`quickcolumn ${args.join(' ')}`);
  return await promisify(execFile)(process.execPath, [program, ...args], { cwd: work, env });
}

/** Ctrl-C as soon as `reached`; again in a new folder until what is left is as it should be. */
async function interrupted(args, { out, reached, right }) {
  for (let attempt = 0; attempt < 20; attempt++) {
    const before = existsSync(at(out)) ? `${out}-before` : undefined;
    if (before) await cp(at(out), at(before), { recursive: true });
    say(`quickcolumn ${args.join(' ')}, interrupted`);
    const child = spawn(process.execPath, [program, ...args], { cwd: work, env, stdio: 'ignore' });
    const ended = new Promise((done) => child.on('exit', done));
    while (child.exitCode === null && !(await reached())) await new Promise((done) => setTimeout(done, 1));
    child.kill('SIGINT');
    if ((await ended) === 130 && (await right())) {
      if (before) await rm(at(before), { recursive: true });
      return;
    }
    await rm(at(out), { recursive: true, force: true });
    if (before) await rename(at(before), at(out));
  }
  throw new Error(`${out}: could not be interrupted where it should be`);
}

async function historyOf(run) {
  const text = await readFile(at(run, 'history.jsonl'), 'utf8').catch(() => '');
  return text.trim() === ''
    ? []
    : text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
}

/** Reached and right after a number of epochs. */
function afterEpochs(out, run, epochs) {
  const right = async () => (await historyOf(run).catch(() => [])).length === epochs;
  return { out, reached: right, right };
}

const json = async (...path) => JSON.parse(await readFile(at(...path), 'utf8'));
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const lossesOf = async (run) =>
  (await historyOf(run)).map(({ training, validation }) => ({ training: training.loss, validation: validation.loss }));
const casesIn = (cases) =>
  cases.map(({ name, classes }) => ({ name, dice: classes.map(({ metrics }) => metrics.dice) }));

/** Root mean squares of the kernels: gradients of biases before a normalisation are rounding alone. */
async function weightsOf(run) {
  const { weights, metadata } = await readModel(at(run, 'model.onnx'));
  const kernels = [...weights].filter(([, { shape }]) => shape.length > 1);
  const rms = ({ data }) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
  return {
    sha256: metadata.weightsSha256,
    rms: Object.fromEntries(kernels.map(([name, tensor]) => [name, rms(tensor)])),
  };
}

async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Uncompressed: the bytes of gzip are those of a version of zlib. */
async function writeData() {
  await writePhantomCases(at('data'), 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  const hash = createHash('sha256');
  for (const file of await filesIn(at('data'))) {
    const bytes = gunzipSync(await readFile(file));
    await writeFile(file.replace(/\.gz$/, ''), bytes);
    await rm(file);
    hash.update(bytes);
  }
  return hash.digest('hex');
}

await mkdir(work);
const data = await writeData();
for (const [name, text] of Object.entries(written)) await writeFile(at(name), text);
const expected = { commit, data };

// One training, of four epochs.
const quiet = ['--threads', '1', '--no-evaluate'];
const train = ['train', '--config', 'run.yaml', ...quiet, '--out'];
await quickcolumn(...train, 'whole-run');
expected.run = { losses: await lossesOf('whole-run'), weights: await weightsOf('whole-run') };
await interrupted([...train, 'run'], afterEpochs('run', 'run', 2));

// A model that has learnt something, and a mask of it.
await quickcolumn('train', '--config', 'model.yaml', ...quiet, '--out', 'trained');
await mkdir(at('model'));
await cp(at('trained/model.onnx'), at('model/model.onnx'));
const device = ['--runtime', 'onnx', '--precision', 'float32', '--threads', '1'];
await quickcolumn(
  'predict',
  '--model',
  'model/model.onnx',
  'data/ct/phantom_0001.nii',
  '--out',
  'prediction',
  ...device,
);
await mkdir(at('truth'));
await cp(at('data/labels/phantom_0001.nii'), at('truth/phantom_0001.nii'));
await quickcolumn('evaluate', '--truth', 'truth', '--prediction', 'prediction', '--out', 'evaluation');
expected.prediction = {
  voxelsSha256: sha256((await readLabels(at('prediction/phantom_0001.nii.gz'))).voxels),
  cases: casesIn((await json('evaluation/metrics.json')).cases),
};

// Two folds of three systems. The first fold is reported; the second system is in its second fold.
const compare = (out, ...more) => [
  'compare',
  '--experiment',
  'comparison.yaml',
  '--threads',
  '1',
  '--out',
  out,
  ...more,
];
await quickcolumn(...compare('whole-comparison'));
const { systems } = await json('whole-comparison/comparison.json');
expected.comparison = [];
for (const { id, folds } of systems) {
  const found = [];
  for (const { fold, cases, history } of folds) {
    const run = `whole-comparison/systems/${id}/fold-${fold}`;
    found.push({ fold, cases: casesIn(cases), ...(history && { losses: await lossesOf(run) }) });
  }
  expected.comparison.push({ id, folds: found });
}
await quickcolumn(...compare('comparison', '--folds', '0'));
await interrupted(compare('comparison'), afterEpochs('comparison', 'comparison/systems/nnunet/fold-1', 1));

const cross = (out, ...more) => [
  'cross-validate',
  '--config',
  'cross-validation.yaml',
  '--folds',
  '2',
  '--threads',
  '1',
  '--out',
  out,
  ...more,
];
await quickcolumn(...cross('whole-cross-validation'));
expected.crossValidation = {
  losses: await Promise.all([0, 1].map((fold) => lossesOf(`whole-cross-validation/fold-${fold}`))),
  cases: casesIn((await json('whole-cross-validation/metrics.json')).cases),
};
await quickcolumn(...cross('cross-validation', '--fold', '0'));
await interrupted(cross('cross-validation'), afterEpochs('cross-validation', 'cross-validation/fold-1', 2));

// Rounds, the first of which waits for corrections; the expected ones have the true labels.
const rounds = (out) => ['rounds', 'start', '--config', 'cases.yaml', '--scans', '2', ...quiet, '--out', out];
await quickcolumn(...rounds('rounds'));
await quickcolumn(...rounds('whole-rounds'));
for (const n of [3, 4]) {
  const truth = await readFile(at(`data/labels/phantom_000${n}.nii`));
  await writeFile(at(`whole-rounds/round-2/to-correct/phantom_000${n}.nii.gz`), gzipSync(truth));
}
await quickcolumn('rounds', 'next', '--out', 'whole-rounds', ...quiet);
const { corrections } = (await json('whole-rounds/state.json')).rounds[1];
expected.rounds = { losses: await lossesOf('whole-rounds/round-2/run'), corrections };

const semi = (out) => ['semi-supervised', '--config', 'cases.yaml', '--confidence', '0.26', ...quiet, '--out', out];
await quickcolumn(...semi('whole-semi'));
expected.semi = { losses: await lossesOf('whole-semi/student-1') };
await interrupted(semi('semi'), {
  out: 'semi',
  reached: () => existsSync(at('semi/teacher/report.html')),
  right: async () => (await readdir(at('semi'))).every((name) => !/^labels-|^student-|tmp/.test(name)),
});

// Pages, pictures and tables are large, and made anew by whoever goes on.
const made = ['report.html', 'figures', 'statistics.json', 'cases.csv', 'costs.csv', 'summary.csv', 'tests.csv'];
for (const name of made) await rm(at('comparison', name), { recursive: true });

const out = fileURLToPath(new URL('v0/', import.meta.url));
await rm(out, { recursive: true, force: true });
await mkdir(join(out, 'profiles'), { recursive: true });
const kept = ['run', 'model', 'prediction', 'comparison', 'cross-validation', 'rounds', 'semi'];
for (const name of [...kept, ...Object.keys(written)]) await cp(at(name), join(out, name), { recursive: true });
for (const profile of ['paper', 'quick', 'mueller', 'ma']) {
  await writeFile(join(out, 'profiles', `${profile}.yaml`), (await quickcolumn('config', '--profile', profile)).stdout);
}
await writeFile(join(out, 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`);

// Nothing of this machine stays in them.
const { compute: madeOn } = await json('comparison/systems/vb/fold-0/identity.json');
let total = 0;
for (const file of await filesIn(out)) {
  const text = (await readFile(file)).toString('latin1');
  const changed = text.replaceAll(work, '@EARLIER@').replaceAll(madeOn, '@COMPUTE@');
  if (changed !== text) {
    if (text.includes('\0')) throw new Error(`${file} is no text and names a folder of this machine`);
    await writeFile(file, changed, 'latin1');
  }
  for (const name of [root, checkout]) if (changed.includes(name)) throw new Error(`${file} names ${name}`);
  const { size } = await stat(file);
  if (size > 300_000) throw new Error(`${file} has ${size} bytes, more than 300 kB`);
  total += size;
  const event = /^(events\.out\.tfevents\.\d+)\..*$/.exec(basename(file));
  if (event) await rename(file, join(dirname(file), `${event[1]}.host.1.0`));
}
if (total > 1_500_000) throw new Error(`v0 has ${total} bytes, more than 1.5 MB`);
say(`v0: ${total} bytes, made by ${commit} on Node ${process.version}`);
await rm(root, { recursive: true });
