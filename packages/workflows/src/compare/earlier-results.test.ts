/** Results of the version that named the code by a hash: whole folders of it are in test/earlier, here are the odd ones. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createContext } from '../context.js';
import type { FoldIdentity } from '../jobs/fold.js';
import { inThisProcess } from '../run-job.js';
import { adoptEarlierResults } from './earlier-results.js';
import { readExperiment } from './experiment.js';
import { configIdentity } from './identity.js';

const experiment = `title: earlier
folds: 3
seed: 1
base: { data: { images: ct, labels: labels } }
systems:
  - id: a
    profile: quick
`;
const codes = ['a'.repeat(64), 'b'.repeat(64)];

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-earlier-results-'));
  file = join(folder, 'experiment.yaml');
  await writeFile(file, experiment);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const folderOf = (_id: string, fold: number): string => join(folder, `fold-${fold}`);
const identityPath = (fold: number): string => join(folderOf('a', fold), 'identity.json');

/** Hashes of the configuration as the file has it, and as it is today. */
async function hashes(fold: number): Promise<{ earlier: string; today: string }> {
  const [written, current] = [await readExperiment(file, { asWritten: true }), await readExperiment(file)];
  return {
    earlier: configIdentity(written, written.systems[0], fold),
    today: configIdentity(current, current.systems[0], fold),
  };
}

async function write(fold: number, identity: object): Promise<void> {
  await mkdir(folderOf('a', fold));
  await writeFile(identityPath(fold), JSON.stringify({ data: 'd', compute: 'c', ...identity }));
}

async function adopt(): Promise<FoldIdentity[]> {
  await adoptEarlierResults(file, folderOf, createContext({}, inThisProcess));
  const texts = await Promise.all([0, 1, 2].map((fold) => readFile(identityPath(fold), 'utf8')));
  return texts.map((text) => JSON.parse(text) as FoldIdentity);
}

describe('earlier results', () => {
  it('get the identity of today, also where that was interrupted halfway', async () => {
    for (const fold of [0, 1]) await write(fold, { numerics: 1, config: (await hashes(fold)).today });
    await write(2, { code: codes[0], config: (await hashes(2)).earlier });
    const expected = [];
    for (const fold of [0, 1, 2]) {
      expected.push({ data: 'd', compute: 'c', numerics: 1, config: (await hashes(fold)).today });
    }
    expect(await adopt()).toEqual(expected);
    expect(await adopt()).toEqual(expected);
  });

  it('of a second code never stand beside those of the first, and another configuration stays another', async () => {
    await write(0, { code: codes[0], config: (await hashes(0)).earlier });
    await write(1, { code: codes[1], config: (await hashes(1)).earlier });
    await write(2, { code: codes[0], config: 'of something else' });
    const adopted = await adopt();
    expect(adopted.map(({ numerics }) => numerics)).toEqual([1, 0, 1]);
    expect(adopted[2].config).toBe('of something else');
  });
});
