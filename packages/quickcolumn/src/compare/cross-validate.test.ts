import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePhantomCases } from '@quickcolumn/phantom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesIn, quickcolumn } from '../command.test.helpers.js';

const config = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 2 }
predict: { overlap: [4, 4, 4] }
`;

describe('quickcolumn cross-validate', { timeout: 120_000 }, () => {
  let folder = '';

  beforeAll(async () => {
    const root = await mkdtemp(join(tmpdir(), 'quickcolumn-cross-'));
    folder = join(root, 'work');
    await mkdir(folder);
    await writePhantomCases(join(folder, 'data'), 4, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    await writeFile(join(folder, 'config.yaml'), config);
  });

  afterAll(async () => {
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  it('does one fold, then the others, evaluates all cases and is an ensemble', async () => {
    const start = ['cross-validate', '--config', 'config.yaml', '--folds', '2', '--out', 'cv'];
    const first = await quickcolumn(folder, ...start, '--fold', '1');
    expect(first.stderr).toContain('fold-0 not finished');
    expect(first.code).toBe(0);
    const predict = ['predict', '--model', 'cv', 'data/ct/phantom_0001.nii.gz', '--out', 'mask.nii.gz'];
    const early = await quickcolumn(folder, ...predict);
    expect(early.code).toBe(3);
    expect(early.stderr).toContain('cv: fold-0 of this cross-validation are not finished');

    const rest = await quickcolumn(folder, 'cross-validate', '--out', 'cv');
    expect(rest.stderr).toContain('1 of 2 folds done');
    expect(rest.code).toBe(0);
    const files = await filesIn(join(folder, 'cv'));
    for (const file of ['metrics.csv', 'metrics.json', 'report.html', 'fold-0/model.onnx', 'overlays/phantom_0004.png'])
      expect(files).toContain(file);
    const { cases } = JSON.parse(await readFile(join(folder, 'cv', 'metrics.json'), 'utf8')) as { cases: object[] };
    expect(cases).toHaveLength(4);

    expect((await quickcolumn(folder, ...predict)).code).toBe(0);
    const sidecar = JSON.parse(await readFile(join(folder, 'mask.json'), 'utf8')) as { ensemble: object[] };
    expect(sidecar.ensemble).toHaveLength(2);

    const other = await quickcolumn(folder, ...start, '--epochs', '2');
    expect(other.code).toBe(5);
    expect(other.stderr).toContain('made with another configuration');
  });

  it('refuses folders that are something else', async () => {
    const data = await quickcolumn(folder, 'cross-validate', '--config', 'config.yaml', '--out', 'data');
    expect(data.code).toBe(5);
    expect(data.stderr).toContain('holds no cross-validation.yaml');
    const model = await quickcolumn(folder, 'predict', '--model', 'data', 'data/ct', '--out', 'masks');
    expect(model.code).toBe(3);
    expect(model.stderr).toContain('data is a folder, but holds no model; expected a model file');
  });
});
