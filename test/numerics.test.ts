/**
 * Guards the declared version of the numerics (packages/workflows/src/compare/numerics.ts): the whole way from scans to
 * metrics gives the golden values of that version. Where a change of numbers is meant, raise the version and run
 * `QUICKCOLUMN_UPDATE_NUMERICS=1 npx vitest run test/numerics.test.ts`; the diff of test/golden/numerics.json shows by how much.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrainConfig } from '@quickcolumn/learn';
import { writePhantomCases } from '@quickcolumn/phantom';
import { numericsVersion, runJob } from '@quickcolumn/workflows';
import { afterAll, beforeAll, expect, it } from 'vitest';

const goldenPath = new URL('./golden/numerics.json', import.meta.url);

interface Golden {
  readonly numericsVersion: number;
  readonly values: Readonly<Record<string, number | null>>;
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-numerics-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Preparation, augmentation, network, loss, optimiser, validation, windows, mirroring, restoring, metrics. */
async function measured(): Promise<Record<string, number | null>> {
  const values: Record<string, number | null> = {};
  const cases = await writePhantomCases(join(folder, 'data'), 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  const compute = { runtime: 'onnx', precision: 'float32' } as const;
  const config = parseTrainConfig(
    {
      profile: 'quick',
      data: {
        images: join(folder, 'data', 'ct'),
        labels: join(folder, 'data', 'labels'),
        holdOut: [cases[3].name],
      },
      preparation: { spacingMm: [9, 9, 10] },
      network: { rootFilters: 2 },
      train: { patch: [16, 16, 16], epochs: 3, stepsPerEpoch: 6, learningRate: 0.01 },
      compute,
      predict: { overlap: [8, 8, 8] },
    },
    'golden',
  );
  const cacheDir = join(folder, 'cache');
  const prepared = await runJob({ kind: 'prepare', cases, preparation: config.preparation, cacheDir });
  for (const { name, mean, sd, classShares = [] } of prepared.cases) {
    values[`${name} mean`] = mean;
    values[`${name} sd`] = sd;
    classShares.forEach((share, index) => {
      values[`${name} class ${index}`] = share;
    });
  }
  const trained = await runJob({ kind: 'train', config, out: join(folder, 'run'), cacheDir, threads: 1 });
  for (const { epoch, training, validation } of trained.history) {
    values[`epoch ${epoch} loss`] = training.loss;
    values[`epoch ${epoch} validation loss`] = validation?.loss ?? null;
  }
  const [scan] = await runJob({
    kind: 'predict',
    inputs: [cases[3].imagePath],
    model: trained.model,
    out: join(folder, 'masks'),
    mirror: ['x'],
    gaussian: true,
    probabilities: true,
    threads: 1,
    ...compute,
  }).then(({ scans }) => scans);
  const sidecar = JSON.parse(await readFile(scan.sidecar, 'utf8')) as {
    readonly classes: readonly { readonly name: string; readonly volumeMl: number }[];
  };
  for (const { name, volumeMl } of sidecar.classes) values[`predicted ${name} ml`] = volumeMl;
  const evaluated = await runJob({
    kind: 'evaluate',
    truth: join(folder, 'data', 'labels'),
    prediction: join(folder, 'masks'),
    images: join(folder, 'data', 'ct'),
    out: join(folder, 'evaluation'),
  });
  for (const { name, metrics } of evaluated.cases[0].classes) {
    for (const [metric, value] of Object.entries(metrics)) values[`${name} ${metric}`] = value;
  }
  return values;
}

it('gives the golden values of the declared version', { timeout: 120_000 }, async () => {
  const values = await measured();
  if (process.env['QUICKCOLUMN_UPDATE_NUMERICS'] === '1') {
    await writeFile(goldenPath, `${JSON.stringify({ numericsVersion, values }, null, 2)}\n`);
  }
  const golden = JSON.parse(await readFile(goldenPath, 'utf8')) as Golden;
  expect(golden.numericsVersion, 'the version was raised: make the golden values again').toBe(numericsVersion);
  expect(Object.keys(values)).toEqual(Object.keys(golden.values));
  // Other processors add in another order; a change of the numerics moves much more.
  const differs = Object.entries(values).filter(([name, value]) => {
    const expected = golden.values[name];
    if (value === null || expected === null) return value !== expected;
    return Math.abs(value - expected) > 1e-4 * Math.max(Math.abs(expected), 1e-3);
  });
  expect(differs, 'numbers changed: raise numericsVersion and make the golden values again').toEqual([]);
});
