// What the warnings beside masks are worth: the cases of finished folds are predicted anew with their fold's model, and what is
// told of each mask is set against its Dice with the truth (result.json).
// usage: node bench/doubts.mjs FOLDER [--systems a,b] [--mirror x,y] [--good 0.7] [--good-lungs 0.95] [--threads 2] [--out FILE.json]
// FOLDER is that of a comparison (systems/ID/fold-N) or of a cross-validation (fold-N). Where a model does not tell what its
// training scans were like, they are looked at here. A case is bad where a lesion class or the mean of the lungs is below its Dice.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { assumptionsOf, casesOf, divideCases } from '../packages/cases/dist/index.js';
import { readLabels, readVolume } from '../packages/io/dist/index.js';
import { rolesOf } from '../packages/measure/dist/index.js';
import { prepareScan, scanFacts, trainingScans } from '../packages/pipeline/dist/index.js';
import { coarseMask } from '../packages/predict/dist/doubts/coarse-mask.js';
import { measureLungs } from '../packages/predict/dist/doubts/lungs.js';
import { shareOutside } from '../packages/predict/dist/doubts/outside-lungs.js';
import { doubtIds, loadModel, segment } from '../packages/predict/dist/index.js';
import { readYaml } from '../packages/workflows/dist/folders/yaml.js';
import { chooseRuntime } from '../packages/runtimes/dist/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    systems: { type: 'string' },
    mirror: { type: 'string' },
    good: { type: 'string', default: '0.7' },
    'good-lungs': { type: 'string', default: '0.95' },
    threads: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
});
const [folder] = positionals;
if (!folder) {
  console.error('usage: node bench/doubts.mjs FOLDER [--systems a,b] [--mirror x,y] [--good 0.7] [--good-lungs 0.95]');
  process.exit(2);
}
const mirror = values.mirror?.split(',') ?? [];
const [good, goodLungs] = [Number(values.good), Number(values['good-lungs'])];

/** Finished folds, each with the system it is of. */
function finishedFolds() {
  const foldsIn = (path, system) =>
    readdirSync(path)
      .filter((name) => /^fold-\d+$/.test(name) && existsSync(join(path, name, 'result.json')))
      .filter((name) => existsSync(join(path, name, 'model.onnx')))
      .map((name) => ({ system, name, path: join(path, name) }));
  const systems = join(folder, 'systems');
  if (!existsSync(systems)) return foldsIn(folder, '');
  const wanted = values.systems?.split(',');
  const ids = readdirSync(systems).filter((id) => wanted === undefined || wanted.includes(id));
  return ids.flatMap((id) => foldsIn(join(systems, id), id));
}

const factsByCase = new Map();
/** The facts of a case as a training would remember them; once per case and preparation. */
async function factsOf({ name, imagePath, labelPath }, { preparation, data }) {
  const key = JSON.stringify([name, preparation]);
  const options = { assume: assumptionsOf(data) };
  if (!factsByCase.has(key)) {
    const labels = await readLabels(labelPath, options);
    factsByCase.set(key, scanFacts(prepareScan(await readVolume(imagePath, options), preparation, { labels })));
  }
  return factsByCase.get(key);
}

const device = { ...(await chooseRuntime({ runtime: 'auto' })), threads: Number(values.threads) };
const rows = [];
for (const { system, name, path } of finishedFolds()) {
  const config = await readYaml(join(path, 'config.yaml'));
  if (config.data.list) config.data.list = resolve(path, config.data.list);
  const cases = await casesOf(config.data);
  const { train } = divideCases(cases, config);
  const model = await loadModel(join(path, 'model.onnx'), device);
  const { classes } = model.metadata.preparation;
  const roles = rolesOf(classes);
  let told = model.metadata.trainingScans;
  if (told === undefined) {
    const facts = [];
    for (const one of train) facts.push(await factsOf(one, config));
    told = trainingScans(facts);
  }
  const informed = { ...model, metadata: { ...model.metadata, trainingScans: told } };
  const result = JSON.parse(readFileSync(join(path, 'result.json'), 'utf8'));
  for (const metrics of result.cases) {
    const { imagePath } = cases.find((one) => one.name === metrics.name);
    const scan = await readVolume(imagePath, { assume: assumptionsOf(config.data) });
    const files = { scan: metrics.name, mask: metrics.name };
    const program = { name: 'bench', version: '0' };
    const options = { files, program, mirror, accept: config.data.accept };
    const { sidecar, doubts, labels, volumes, quantities } = await segment(informed, scan, options);
    const mask = coarseMask(labels, scan);
    const lungs = roles.lungs && measureLungs(mask, roles.lungs, roles.lesions, { volumes, quantities });
    const dice = Object.fromEntries(metrics.classes.map((one) => [one.value, one.metrics.dice]));
    const lesionDice = roles.lesions.map((value) => dice[value]).filter((value) => value !== null);
    const lungDice = metrics.lungs?.dice ?? null;
    rows.push({
      system,
      fold: name,
      name: metrics.name,
      dice,
      lungDice,
      agreement: Object.fromEntries(sidecar.classes.map((one) => [one.value, one.agreement])),
      isBad: lesionDice.some((value) => value < good) || (lungDice !== null && lungDice < goodLungs),
      doubts: doubts.map(({ id, message, value }) => ({ id, message, value })),
      lungs,
      outside: roles.lesions.length === 0 ? null : shareOutside(mask, roles.lungs, roles.lesions),
      classes: classes.filter(({ value }) => value !== 0).map(({ value, name: called }) => ({ value, name: called })),
    });
    tellCase(rows.at(-1));
  }
}
if (rows.length === 0) {
  console.error(`${folder}: no finished fold; expected fold-N or systems/ID/fold-N with result.json and model.onnx`);
  process.exit(3);
}

function tellCase({ system, fold, name, dice, agreement, isBad, doubts, lungs, outside, classes }) {
  const share = (value) => (typeof value === 'number' ? value.toFixed(3) : '–');
  const numbers = classes.map((one) => `${one.name} ${share(agreement[one.value])}/${share(dice[one.value])}`);
  console.log(`${[system, fold, name].filter(Boolean).join(' ')}: ${isBad ? 'bad' : 'good'}`);
  console.log(`  agreement/Dice: ${numbers.join(', ')}; outside the lungs ${share(outside)}`);
  if (lungs) {
    const { leftMl, rightMl, leftApart, rightApart } = lungs;
    const ratio = share(leftMl / rightMl);
    console.log(
      `  lungs ${(leftMl + rightMl).toFixed(0)} ml, left/right ${ratio}, apart ${share(leftApart)}, ${share(rightApart)}`,
    );
  }
  for (const { id, message } of doubts) console.log(`  ${id}: ${message}`);
}

const bad = rows.filter(({ isBad }) => isBad);
const fine = rows.filter(({ isBad }) => !isBad);
console.log(`\n${rows.length} masks, ${bad.length} bad (a lesion below ${good} or lungs below ${goodLungs})`);
console.log('warning               good masks  bad masks');
for (const id of doubtIds) {
  const firing = (of) => `${of.filter(({ doubts }) => doubts.some((one) => one.id === id)).length}/${of.length}`;
  console.log(`${id.padEnd(20)}  ${firing(fine).padStart(10)}  ${firing(bad).padStart(9)}`);
}
const any = (of) => `${of.filter(({ doubts }) => doubts.length > 0).length}/${of.length}`;
console.log(`${'any'.padEnd(20)}  ${any(fine).padStart(10)}  ${any(bad).padStart(9)}`);

const mean = (of) => of.reduce((sum, value) => sum + value, 0) / of.length;
function pearson(a, b) {
  const [ma, mb] = [mean(a), mean(b)];
  const sum = (f) => a.reduce((total, _, i) => total + f(a[i] - ma, b[i] - mb), 0);
  return sum((x, y) => x * y) / Math.sqrt(sum((x) => x * x) * sum((_, y) => y * y));
}
/** Ranks from 1; equal values share theirs. */
const ranks = (of) =>
  of.map(
    (value) => of.filter((other) => other < value).length + (of.filter((other) => other === value).length + 1) / 2,
  );

console.log('\ncorrelation of agreement and Dice');
const groups = groupBySystem(rows);
function groupBySystem(all) {
  const bySystem = new Map();
  for (const row of all) bySystem.set(row.system, [...(bySystem.get(row.system) ?? []), row]);
  return bySystem;
}
const correlations = [];
for (const [system, of] of groups) {
  for (const { value, name } of of[0].classes) {
    const pairs = of
      .map(({ agreement, dice }) => [agreement[value], dice[value]])
      .filter((pair) => pair.every((one) => typeof one === 'number'));
    const [a, b] = [pairs.map(([one]) => one), pairs.map(([, one]) => one)];
    const few = pairs.length < 10 ? ' (so few cases that it means little)' : '';
    const row = { system, name, cases: pairs.length, spearman: null, pearson: null };
    if (pairs.length >= 3) Object.assign(row, { spearman: pearson(ranks(a), ranks(b)), pearson: pearson(a, b) });
    correlations.push(row);
    const told = (one) => (one === null ? '–' : one.toFixed(2));
    const called = [system, name].filter(Boolean).join(', ');
    console.log(`${called}: Spearman ${told(row.spearman)}, Pearson ${told(row.pearson)}, ${pairs.length} cases${few}`);
  }
}
if (values.out)
  writeFileSync(values.out, `${JSON.stringify({ folder, mirror, good, goodLungs, rows, correlations }, null, 2)}\n`);
