// Makes the package of the pretrained model from what a training and a comparison left: `npm run model-card -- OPTIONS`.
//   --model RUN/model.onnx       stores its weights in float16, with the terms of model.json, as the package's model.onnx
//   --comparison FOLDER          takes the figures of each case from FOLDER/statistics.json (of `quickcolumn compare`)
//   --system ID                  which of its systems; default: the first
//   --package FOLDER             default packages/model-covid19-ct
//   --check                      writes nothing; fails where README.md or model.onnx is not what model.json tells
// The texts in model.json (`terms`, `card`) are written by people, `file` and `crossValidation` by this script, and
// README.md, the model's card, is made of all of it. Needs a build.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { exportModel } from '../packages/learn/dist/index.js';
import { networkSize } from '../packages/networks/dist/index.js';
import { readModel } from '../packages/predict/dist/index.js';
import { readJson, root } from './workspaces.mjs';

/**
 * @typedef {{ name: string, mean: number | null, low95: number | null, high95: number | null, median: number | null }} Region
 * @typedef {{ name: string, fold: number, dice: Record<string, number | null> }} CaseFigures
 * @typedef {{ system: string, settings: string, date: string, budget: string, compute: string, numerics: number, folds: number,
 *   seed: number, regions: Region[], cases: CaseFigures[] }} CrossValidation
 * @typedef {{ bytes: number, sha256: string, weightsSha256: string, network: string, parameters: number, spacingMm: string,
 *   patch: string, training: Readonly<Record<string, string | number>> }} ModelFacts
 * @typedef {object} Facts
 * @property {string} name
 * @property {import('../packages/pipeline/dist/index.js').ModelTerms} terms
 * @property {{ data: string, rebuilt: string, recipe: string, limits: string }} card
 * @property {ModelFacts | null} file
 * @property {CrossValidation | null} crossValidation
 * @typedef {import('../packages/evaluate/dist/index.js').ComparisonStatistics} ComparisonStatistics
 */

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string' },
    comparison: { type: 'string' },
    system: { type: 'string' },
    package: { type: 'string', default: join(root, 'packages/model-covid19-ct') },
    check: { type: 'boolean', default: false },
  },
});
const at = (/** @type {string} */ name) => join(flags.package, name);
/** @type {Facts} */
const before = readJson(at('model.json'));
const told = {
  ...before,
  ...(flags.model !== undefined && { file: await storeModel(flags.model, before) }),
  ...(flags.comparison !== undefined && { crossValidation: figuresOf(flags.comparison, flags.system) }),
};
const problems = [...fileProblems(told), ...(flags.check ? cardProblems(told) : [])];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
if (!flags.check && problems.length === 0) {
  writeFileSync(at('model.json'), `${JSON.stringify(told, null, 2)}\n`);
  writeFileSync(at('README.md'), cardOf(told));
  console.log(`written: ${at('model.json')} and ${at('README.md')}`);
}

/**
 * @param {string} from  model file of a run
 * @param {Facts} facts
 * @returns {Promise<ModelFacts>}
 */
async function storeModel(from, { terms }) {
  const { metadata: source, network, weights } = await readModel(from);
  const { preparation, patch, overlap, training, trainingScans } = source;
  const metadata = { preparation, patch, overlap, training, terms, notes: '', ...(trainingScans && { trainingScans }) };
  await exportModel(at('model.onnx'), { network, variables: weights, metadata, weights: 'float16' });
  const { file } = await readModel(at('model.onnx'));
  const { name, ...options } = network;
  return {
    bytes: readFileSync(at('model.onnx')).length,
    sha256: file.sha256,
    weightsSha256: file.weightsSha256,
    network: [name, ...Object.entries(options).map(([key, value]) => `${key} ${value}`)].join(', '),
    parameters: networkSize(network, preparation.classes.length, patch).parameters,
    spacingMm: preparation.spacingMm.join(' × '),
    patch: patch.join(' × '),
    training,
  };
}

/**
 * @param {string} folder
 * @param {string | undefined} id
 * @returns {CrossValidation}
 */
function figuresOf(folder, id) {
  /** @type {ComparisonStatistics} */
  const statistics = readJson(join(folder, 'statistics.json'));
  const system = id === undefined ? statistics.systems[0] : statistics.systems.find((one) => one.id === id);
  if (statistics.format !== 'quickcolumn-comparison' || system === undefined) {
    const known = statistics.systems?.map((one) => one.id).join(', ');
    throw new Error(`${folder}: no system ${id ?? ''} in its statistics.json; there are: ${known ?? 'none'}`);
  }
  if (system.folds !== statistics.foldCount)
    throw new Error(
      `${folder}: ${system.id} has ${system.folds} of ${statistics.foldCount} folds; finish the comparison`,
    );
  const { date, budget, identity, foldCount, seed, shownRegions } = statistics;
  return {
    system: system.title,
    settings: system.settings,
    date,
    budget,
    compute: identity.compute,
    numerics: identity.numerics,
    folds: foldCount,
    seed,
    regions: shownRegions.map((name) => {
      const dice = system.summary.regions.find((region) => region.name === name)?.metrics.dice;
      const [low95, high95] = dice?.meanInterval95 ?? [null, null];
      return { name, mean: dice?.mean ?? null, low95, high95, median: dice?.median ?? null };
    }),
    cases: statistics.cases
      .filter(({ dice }) => shownRegions.some((region) => system.id in (dice[region] ?? {})))
      .map(({ name, fold, dice }) => {
        const own = shownRegions.map((region) => [region, dice[region][system.id]]);
        return { name, fold, dice: Object.fromEntries(own) };
      }),
  };
}

/**
 * @param {Facts} facts
 * @returns {string[]}
 */
function fileProblems({ file }) {
  const path = at('model.onnx');
  if (!existsSync(path)) return file === null ? [] : [`${path} is missing; git and npm should have brought it`];
  if (file === null) return [`${path} is there, but model.json does not tell of it; run this with --model`];
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return sha256 === file.sha256 ? [] : [`${path} has the SHA-256 ${sha256}, model.json tells ${file.sha256}`];
}

/**
 * @param {Facts} facts
 * @returns {string[]}
 */
function cardProblems(facts) {
  const isWritten = readFileSync(at('README.md'), 'utf8') === cardOf(facts);
  return isWritten ? [] : [`${at('README.md')} is not what model.json tells; run npm run model-card`];
}

/** @param {number | null} value */
function decimals(value) {
  return value === null ? '–' : value.toFixed(3);
}

/**
 * @param {Facts} facts
 * @returns {string}
 */
function cardOf(facts) {
  const { terms, card } = facts;
  const sections = [
    ['Data', [card.data]],
    ['Licence', licenceOf(facts)],
    ['How the data were rebuilt', [card.rebuilt]],
    ['Recipe', [card.recipe, ...recipeOf(facts)]],
    ['Figures', figureLines(facts)],
    ['Limits', [card.limits]],
    ['Intended use', [`${capital(terms.intendedUse)}: it must not be used to diagnose or treat anyone.`]],
  ];
  return `# @quickcolumn/model-covid19-ct

${terms.title}: both lungs and COVID-19 infection in chest CT; the model of \`quickcolumn predict\` where none is named.
**${capital(terms.intendedUse)}.**

\`\`\`ts
import { fileURLToPath } from 'node:url';
import { modelUrl } from '@quickcolumn/model-covid19-ct';
import { loadModel } from '@quickcolumn/predict';

const { files, metadata } = await loadModel(fileURLToPath(modelUrl));
console.log(files[0].terms?.licence.name, metadata.patch);
\`\`\`
${sections.map(([title, paragraphs]) => `\n## ${title}\n\n${[paragraphs].flat().join('\n\n')}\n`).join('')}`;
}

/** @param {string} text */
function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * @param {Facts} facts
 * @returns {string[]}
 */
function licenceOf({ terms: { licence, attribution }, file }) {
  const checksum =
    file === null
      ? 'The weights are not in this version yet.'
      : `\`model.onnx\`: ${file.bytes} bytes, SHA-256 \`${file.sha256}\`; checked whenever it is read.`;
  return [
    `Weights: [${licence.name}](${licence.url}). ${attribution} See LICENSE. The code of this package: Apache-2.0.`,
    checksum,
  ];
}

/**
 * @param {Facts} facts
 * @returns {string[]}
 */
function recipeOf({ file }) {
  if (file === null) return [];
  const training = Object.entries(file.training).map(([key, value]) => `${key} ${value}`);
  const parameters = file.parameters.toLocaleString('en').replaceAll(',', ' ');
  return [
    `Network: ${file.network}; ${parameters} parameters, kernels stored in float16. Grid ${file.spacingMm} mm, window ` +
      `${file.patch}. Training: ${training.join(', ')}.`,
  ];
}

/**
 * @param {Facts} facts
 * @returns {string[]}
 */
function figureLines({ crossValidation: measured }) {
  if (measured === null) return ['Not measured yet.'];
  const { regions, cases, folds, seed, budget, date, system, compute } = measured;
  const row = (/** @type {readonly (string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  // Too few patients have none.
  const interval = (/** @type {Region} */ { mean, low95, high95 }) =>
    `**${decimals(mean)}**${low95 === null ? '' : ` [${decimals(low95)}–${decimals(high95)}]`}`;
  const table = [
    row(['case', 'fold', ...regions.map(({ name }) => name)]),
    row(['---', '---', ...regions.map(() => '---')]),
    ...cases.map(({ name, fold, dice }) => row([name, fold, ...regions.map((region) => decimals(dice[region.name]))])),
    row(['mean [95 % interval over patients]', '', ...regions.map(interval)]),
    row(['median', '', ...regions.map(({ median }) => decimals(median))]),
  ];
  return [
    `Dice of each case, predicted by a training that had not seen its patient: ${system}, ${cases.length} cases, ${folds} ` +
      `folds, seed ${seed}; ${budget}; ${compute}; ${date}.`,
    table.join('\n'),
  ];
}
