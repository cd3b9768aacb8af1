/** Which folds of which systems are compared, and what is said of the others. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateCase } from '@quickcolumn/evaluate';
import { covidClasses } from '@quickcolumn/volume';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readExperiment } from './experiment.js';
import { writeResult } from './fold-files.js';
import { configIdentity } from './identity.js';
import { readComparison } from './read-comparison.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-read-comparison-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const voxels = {
  voxels: new Uint8Array(8),
  size: [2, 2, 2],
  affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
} as const;

/** What of systems `id: folds` in this order is compared, and why the others are not. */
async function compared(finished: Readonly<Record<string, readonly number[]>>): Promise<unknown> {
  const ids = Object.keys(finished);
  const file = join(folder, `${ids.join('')}.yaml`);
  const base = 'title: t\nfolds: 4\nseed: 1\nbase: { data: { images: ct, labels: labels } }\nsystems:\n';
  await writeFile(
    file,
    base + ids.map((id) => `  - { id: ${id}, profile: quick, train: { epochs: ${id.charCodeAt(0)} } }\n`).join(''),
  );
  const experiment = await readExperiment(file);
  const folderOf = (id: string, fold: number): string => join(folder, ids.join(''), id, String(fold));
  for (const system of experiment.systems) {
    for (const fold of finished[system.id]) {
      await mkdir(folderOf(system.id, fold), { recursive: true });
      const identity = { data: 'd', numerics: 1, compute: 'c', config: configIdentity(experiment, system, fold) };
      const cases = [evaluateCase(voxels, voxels, covidClasses, { name: `case ${fold}`, patient: `p${fold}` })];
      const cost = {
        trainingSteps: 1,
        trainingSeconds: 1,
        secondsPerScan: 1,
        predictionPeakBytes: 1,
        trainingPeakBytes: 1,
      };
      await writeResult(folderOf(system.id, fold), { identity, fold, cases, cost });
      await writeFile(join(folderOf(system.id, fold), 'history.jsonl'), '');
    }
  }
  const { systems, leftOut } = await readComparison(experiment, { folderOf });
  return {
    systems: Object.fromEntries(systems.map(({ id, folds }) => [id, folds.map(({ fold }) => fold)])),
    leftOut: leftOut
      .filter(({ reason }) => !reason.endsWith('is not finished'))
      .map(({ id, reason }) => `${id}: ${reason}`),
  };
}

it('compares as many systems as share a fold, on all folds they share, in any order', async () => {
  const finished = { a: [0, 1, 2], b: [2], c: [0, 1] };
  const orders = [
    ['a', 'b', 'c'],
    ['b', 'a', 'c'],
    ['c', 'b', 'a'],
    ['b', 'c', 'a'],
  ] as const;
  for (const order of orders) {
    const both = order.filter((id) => id !== 'b').join(', ');
    expect(await compared(Object.fromEntries(order.map((id) => [id, finished[id]])))).toEqual({
      systems: { a: [0, 1], c: [0, 1] },
      leftOut: [
        `b: has none of the folds that can be compared: ${both} have in common fold-0, fold-1`,
        'a: fold-2 is finished, but not for every system',
      ],
    });
  }
});

it.each([
  ['systems before folds', { a: [0, 1, 2], b: [2], c: [2], d: [0, 1] }, { a: [2], b: [2], c: [2] }],
  ['the first where nothing else decides', { a: [0], b: [1] }, { a: [0] }],
  ['all where all share one', { a: [0, 1], b: [1, 2], c: [1, 3] }, { a: [1], b: [1], c: [1] }],
])('prefers %s', async (_, finished, systems) => {
  expect(await compared(finished)).toMatchObject({ systems });
});
