/** The precision of a comparison's folds that are there, for the others to be computed in. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseRuntime, type Precision, type RuntimeChoice } from '@quickcolumn/runtimes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeIdentity } from './fold-files.js';
import { precisionOfFolds } from './fold-tasks.js';
import { computeIdentity } from './identity.js';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quickcolumn-folds-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const folders = (): string[] => [0, 1].map((fold) => join(root, `fold-${fold}`));

async function deviceIn(precision: Precision): Promise<RuntimeChoice> {
  const device = await chooseRuntime({ runtime: 'onnx' });
  return { ...device, precision, runtime: { ...device.runtime, precisions: ['float32', 'bfloat16'] } };
}

async function foldMadeWith(compute: string): Promise<void> {
  const [, folder] = folders();
  await mkdir(folder);
  await writeIdentity(folder, { data: 'd', numerics: 1, config: 'c', compute });
}

describe('the precision of folds that are there', () => {
  it('is found whatever was chosen now', async () => {
    const device = await deviceIn('float32');
    expect(await precisionOfFolds(folders(), { device, threads: 2 })).toBeUndefined();
    await foldMadeWith(computeIdentity(await deviceIn('bfloat16'), 2));
    expect(await precisionOfFolds(folders(), { device, threads: 2 })).toBe('bfloat16');
  });

  it('is none where they were made with another runtime, machine or number of threads', async () => {
    const device = await deviceIn('float32');
    await foldMadeWith(computeIdentity(device, 3));
    expect(await precisionOfFolds(folders(), { device, threads: 2 })).toBeUndefined();
  });
});
