/** `train --resume --extend`, as a user types it: finished, then longer, then gone on with by a plain --resume. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePhantomCases } from '@quickcolumn/phantom';
import { parse } from 'yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { quickcolumn } from './command.test.helpers.js';

const tiny = `profile: quick
data: { images: data/ct, labels: data/labels }
preparation: { spacingMm: [10, 10, 10] }
network: { rootFilters: 2 }
train: { patch: [16, 16, 16], epochs: 1, stepsPerEpoch: 2, schedule: { kind: polynomial, power: 1 } }
predict: { overlap: [4, 4, 4] }
`;

let folder = '';
const run = (text: string): ReturnType<typeof quickcolumn> => quickcolumn(folder, ...text.split(' '));

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-extend-')), 'work');
  await mkdir(folder);
  await writePhantomCases(join(folder, 'data'), 3, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
  await writeFile(join(folder, 'tiny.yaml'), tiny);
});
afterAll(async () => {
  await rm(join(folder, '..'), { recursive: true, force: true });
});

it('trains for more epochs, writes it down and keeps to it', async () => {
  expect(await run('train --config tiny.yaml --out run --no-evaluate')).toMatchObject({ code: 0 });
  const changed = await run('train --resume --out run --epochs 3');
  expect(changed.code).not.toBe(0);
  expect(changed.stderr).toContain('train.epochs changed from 1 to 3');
  expect(changed.stderr).toContain('or use --extend 2 to train that much longer');

  const extended = await run('train --resume --out run --extend 2 --no-evaluate --max-minutes 0.0001');
  expect(extended.stderr).toContain(
    'extended from 1 to 3 epochs: the rate goes on as in a training of 3 epochs, with 0.000667',
  );
  expect(extended.stderr).toContain('stopped after epoch 2');
  expect(extended.code).toBe(0);
  const config = parse(await readFile(join(folder, 'run', 'config.yaml'), 'utf8')) as { readonly train: object };
  expect(config.train).toMatchObject({ epochs: 3, extended: [{ untilStep: 2, epochs: 1 }] });

  const resumed = await run('train --resume --out run --no-evaluate --max-minutes 5');
  expect(resumed.stderr).toContain('resuming after epoch 2');
  expect(resumed.stderr).toContain('finished 3 epochs');
  const lines = (await readFile(join(folder, 'run', 'history.jsonl'), 'utf8')).trim().split('\n');
  const history = lines.map(
    (line) => JSON.parse(line) as { readonly learningRate: number; readonly extended?: object },
  );
  expect(history.map(({ extended: noted }) => noted)).toEqual([undefined, { from: 1, to: 3 }, undefined]);
  // Steps 1 of 2, then 3 and 5 of 6.
  [1 / 2, 3 / 6, 1 / 6].forEach((share, epoch) => expect(history[epoch].learningRate).toBeCloseTo(1e-3 * share, 12));
});

it('refuses what cannot be extended', async () => {
  for (const [command, code, text] of [
    [
      'train --config tiny.yaml --out new --extend 2',
      2,
      'only a training that goes on can be extended, or use --resume',
    ],
    ['train --resume --config tiny.yaml --out new --extend 2', 2, 'there is no training to extend'],
    ['train --resume --out run --extend 2 --epochs 9', 2, "cannot be used with option '--epochs"],
    ['train --resume --out run --extend 0', 2, 'Expected a whole number of at least 1'],
  ] as const) {
    const outcome = await run(command);
    expect(outcome.stderr).toContain(text);
    expect([command, outcome.code]).toEqual([command, code]);
  }
});

it('refuses a fold of a comparison', async () => {
  const trained = await run('cross-validate --config tiny.yaml --folds 3 --fold 1 --out cv');
  expect(trained.code).toBe(0);
  const { code, stderr } = await run('train --resume --out cv/fold-1 --extend 1');
  expect(stderr).toContain(
    'cv/fold-1 is a fold of a comparison or a cross-validation, whose folds are all trained alike',
  );
  expect(code).toBe(5);
});
