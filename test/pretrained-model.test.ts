/**
 * The pretrained model's package: that the script makes it whole from a run and a comparison, that what is committed is what
 * it makes, and that prediction takes nothing else for it. The weights themselves may be missing in a clone.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CaseMetrics, comparisonStatistics, evaluateCase } from '@quickcolumn/evaluate';
import { exportModel } from '@quickcolumn/learn';
import { networkSchema, networkSize, predictionGraph } from '@quickcolumn/networks';
import { type ModelTerms, paperPreparation } from '@quickcolumn/pipeline';
import { readModel } from '@quickcolumn/predict';
import type { NamedTensor } from '@quickcolumn/runtimes';
import { covidClasses } from '@quickcolumn/volume';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const committed = join(root, 'packages/model-covid19-ct');

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs tools/model-card.mjs. */
async function modelCard(...args: readonly string[]): Promise<Outcome> {
  const script = join(root, 'tools/model-card.mjs');
  return await new Promise((done) => {
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

interface Facts {
  readonly terms: ModelTerms;
  readonly file: { readonly sha256: string; readonly weightsSha256: string; readonly bytes: number } | null;
  readonly crossValidation: { readonly cases: readonly { readonly name: string }[] } | null;
}

const factsOf = async (folder: string): Promise<Facts> =>
  JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as Facts;

/** Dice of infection 2n / (2n + 2): half of the errors is missed, half is too much. */
function caseOf(name: string, patient: string, right: number): CaseMetrics {
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] as const;
  const labels = (shift: number) => ({
    size: [8, 8, 4] as const,
    affine,
    voxels: new Uint8Array(256)
      .fill(1, 0, 40)
      .fill(2, 40, 80)
      .fill(3, 100 + shift, 101 + shift + right),
  });
  return evaluateCase(labels(0), labels(1), covidClasses, { name, patient });
}

describe('the script that makes the package', () => {
  const network = networkSchema.parse({ name: 'unet3d', rootFilters: 2 });
  const patch = [16, 16, 16] as const;
  let folder = '';
  const at = (...path: string[]): string => join(folder, ...path);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-card-'));
    await mkdir(at('package'));
    const emptied = { ...(await factsOf(committed)), file: null, crossValidation: null };
    await writeFile(at('package', 'model.json'), JSON.stringify(emptied));
    await cp(join(committed, 'LICENSE'), at('package', 'LICENSE'));
    const variables = new Map<string, NamedTensor>();
    for (const [name, { node }] of predictionGraph(network, 4, patch, 1).variables) {
      const length = node.shape.reduce((product, size) => product * size, 1);
      variables.set(name, {
        shape: node.shape,
        data: Float32Array.from({ length }, (_, i) => Math.sin(i) ** 2 + 0.01),
      });
    }
    const training = { profile: 'auto', steps: 4321, minutes: 60.5, date: '2026-11-30' };
    const metadata = { preparation: paperPreparation, patch, overlap: [8, 8, 8] as const, training, notes: 'own' };
    await exportModel(at('run.onnx'), { network, variables, metadata });
    const cost = {
      trainingSteps: 1,
      trainingSeconds: 1,
      secondsPerScan: 1,
      predictionPeakBytes: 1,
      trainingPeakBytes: 1,
    };
    const folds = [
      { fold: 0, cost, cases: [caseOf('case_a', 'a', 9), caseOf('case_b', 'b', 1), caseOf('case_c', 'c', 4)] },
      { fold: 1, cost, cases: [caseOf('case_d', 'd', 19), caseOf('case_e', 'e', 4), caseOf('case_f', 'f', 1)] },
    ];
    const system = { title: 'auto, 60 minutes', parameters: 1, forwardGflop: 1, settings: 'auto', folds };
    const statistics = comparisonStatistics({
      title: 'a comparison',
      date: '2026-11-29',
      classes: covidClasses,
      foldCount: 2,
      seed: 5,
      budget: '60 minutes a fold',
      identity: { data: 'd', numerics: 1, compute: 'onednn float32' },
      systems: [
        { ...system, id: 'quick', title: 'quick', folds: folds.slice(0, 1) },
        { ...system, id: 'auto' },
      ],
      leftOut: [],
    });
    await mkdir(at('comparison'));
    await writeFile(at('comparison', 'statistics.json'), JSON.stringify(statistics));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('stores the weights in float16 under the terms, tells their checksums, and draws the card', async () => {
    const from = ['--model', at('run.onnx'), '--comparison', at('comparison'), '--system', 'auto'];
    const made = await modelCard('--package', at('package'), ...from);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    const { file, terms } = await factsOf(at('package'));
    const bytes = await readFile(at('package', 'model.onnx'));
    expect(file?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(file?.bytes).toBe(bytes.length);
    const { metadata } = await readModel(at('package', 'model.onnx'));
    expect(metadata).toMatchObject({ terms, notes: '', training: { steps: 4321 }, weightsSha256: file?.weightsSha256 });
    expect(bytes.length).toBeLessThan(0.7 * (await readFile(at('run.onnx'))).length);

    const card = await readFile(at('package', 'README.md'), 'utf8');
    const titles = [...card.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
    expect(titles.join()).toBe('Data,Licence,How the data were rebuilt,Recipe,Figures,Limits,Intended use');
    expect(card).toContain('| case | fold | lungs | infection |');
    expect(card).toContain(
      '| case_a | 0 | 1.000 | 0.900 |\n| case_b | 0 | 1.000 | 0.500 |\n| case_c | 0 | 1.000 | 0.800 |\n',
    );
    expect(card).toMatch(
      /\| mean \[95 % interval over patients\] \| {2}\| \*\*1\.000\*\* \[1\.000–1\.000\] \| \*\*0\.742\*\* \[0\.\d{3}–0\.\d{3}\] \|/,
    );
    expect(card).toContain('| median |  | 1.000 | 0.800 |');
    expect(card).toContain('auto, 60 minutes, 6 cases, 2 folds, seed 5; 60 minutes a fold; onednn float32; 2026-11-29');
    expect(card).toContain('profile auto, steps 4321, minutes 60.5');
    const parameters = networkSize(network, 4, patch).parameters.toLocaleString('en').replaceAll(',', ' ');
    expect(card).toContain(`unet3d, rootFilters 2; ${parameters} parameters`);
    for (const text of [file?.sha256, terms.licence.name, terms.licence.url, terms.attribution, 'not a medical device'])
      expect(card).toContain(text);
    // Once more, without anything new: nothing changes.
    expect(await modelCard('--package', at('package'), '--check')).toMatchObject({ code: 0, stderr: '' });
    expect(await modelCard('--package', at('package'))).toMatchObject({ code: 0 });
    expect(await readFile(at('package', 'README.md'), 'utf8')).toBe(card);
  });

  it('refuses a system that is unknown or not finished, and changes nothing then', async () => {
    const before = await readFile(at('package', 'model.json'), 'utf8');
    const from = ['--package', at('package'), '--comparison', at('comparison')];
    const unknown = await modelCard(...from, '--system', 'other');
    expect(unknown.stderr).toContain('no system other in its statistics.json; there are: quick, auto');
    const unfinished = await modelCard(...from);
    expect(unfinished.stderr).toContain('quick has 1 of 2 folds; finish the comparison');
    expect([unknown.code, unfinished.code]).toEqual([1, 1]);
    expect(await readFile(at('package', 'model.json'), 'utf8')).toBe(before);
  });

  it('finds a card, a checksum and a file that do not fit', async () => {
    const check = async (): Promise<string> => (await modelCard('--package', at('package'), '--check')).stderr;
    const [card, weights] = [
      await readFile(at('package', 'README.md'), 'utf8'),
      await readFile(at('package', 'model.onnx')),
    ];
    await writeFile(at('package', 'README.md'), card.replace('0.900', '0.990'));
    expect(await check()).toContain('README.md is not what model.json tells; run npm run model-card');
    await writeFile(at('package', 'README.md'), card);
    await writeFile(at('package', 'model.onnx'), weights.subarray(1));
    expect(await check()).toMatch(/model\.onnx has the SHA-256 \w+, model\.json tells \w+\n/);
    await rm(at('package', 'model.onnx'));
    expect(await check()).toContain('model.onnx is missing');
    await writeFile(at('package', 'model.onnx'), weights);
    expect(await check()).toBe('');
  });
});

describe('the package that is committed', () => {
  const isThere = existsSync(join(committed, 'model.onnx'));
  const whyNot = isThere ? '' : ' (skipped: packages/model-covid19-ct/model.onnx is not there)';

  it('has a card that is what the script makes of model.json', async () => {
    expect(await modelCard('--check')).toEqual({ code: 0, stdout: '', stderr: '' });
    const card = await readFile(join(committed, 'README.md'), 'utf8');
    for (const text of [
      'CC BY-NC-SA 4.0',
      'Zenodo record 3757476',
      'not a medical device',
      'Coronacases',
      'Radiopaedia',
    ])
      expect(
        [card, await readFile(join(committed, 'LICENSE'), 'utf8')].every((page) => page.includes(text)),
        text,
      ).toBe(true);
  });

  it.skipIf(!isThere)(`has the weights of its checksum, terms and figures${whyNot}`, async () => {
    const { file, terms, crossValidation } = await factsOf(committed);
    const bytes = await readFile(join(committed, 'model.onnx'));
    expect(file?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(bytes.length).toBeLessThan(17e6);
    const { metadata } = await readModel(join(committed, 'model.onnx'));
    expect(metadata.terms).toEqual(terms);
    expect(metadata.weightsSha256).toBe(file?.weightsSha256);
    expect(metadata.preparation.classes).toEqual(covidClasses);
    expect(crossValidation?.cases).toHaveLength(12);
  });
});
