/** What a resumed training computes with: the run folder's runtime and precision, not what is the fastest by now. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTrainConfig, type TrainConfig } from '@quickcolumn/learn';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toYaml } from '../folders/yaml.js';
import { computeOfRun } from './compute-of-run.js';

type Compute = TrainConfig['compute'];
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-run-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function runFolder(compute: Compute): Promise<void> {
  const data = { list: '/data/cases.csv' };
  const config = parseTrainConfig({ profile: 'quick', data, compute }, 'test');
  await writeFile(join(folder, 'config.yaml'), toYaml(config));
}

const auto: Compute = { runtime: 'auto', precision: 'auto' };

describe('a resumed training', () => {
  it('computes with what the run folder names where auto is asked for', async () => {
    await runFolder({ runtime: 'onednn', precision: 'float32' });
    expect(await computeOfRun(folder, auto)).toEqual({ runtime: 'onednn', precision: 'float32' });
    expect(await computeOfRun(folder, { runtime: 'onednn', precision: 'auto', autotune: true })).toEqual({
      runtime: 'onednn',
      precision: 'float32',
      autotune: true,
    });
  });

  it('leaves alone what is asked for by name, to be refused where it differs', async () => {
    await runFolder({ runtime: 'onednn', precision: 'bfloat16' });
    const named: Compute = { runtime: 'onednn', precision: 'float32' };
    expect(await computeOfRun(folder, named)).toEqual(named);
    expect(await computeOfRun(folder, { runtime: 'auto', precision: 'float32' })).toEqual(named);
    const other: Compute = { runtime: 'onnx', precision: 'auto' };
    expect(await computeOfRun(folder, other)).toEqual(other);
  });

  it('chooses anew where the run folder names nothing', async () => {
    expect(await computeOfRun(folder, auto)).toEqual(auto);
    await runFolder(auto);
    expect(await computeOfRun(folder, auto)).toEqual(auto);
  });

  it('says what is wrong with a configuration that cannot be read', async () => {
    await writeFile(join(folder, 'config.yaml'), 'compute: [');
    await expect(computeOfRun(folder, auto)).rejects.toMatchObject({ code: 'config' });
  });
});
