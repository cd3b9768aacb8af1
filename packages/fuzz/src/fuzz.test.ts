/**
 * A small run of every reader (`npm run fuzz` makes large ones), the harness itself, and the attacks that mutation does
 * not find by chance: bombs, absurd promises, cycles.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { encodeVolumeBlob, readVolume } from '@quickcolumn/io';
import { loadModel } from '@quickcolumn/predict';
import { trainConfigFrom } from '@quickcolumn/workflows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCase } from './run/cases.js';
import { yamlBombs } from './readers/config-reader.js';
import { readers, runFuzz } from './index.js';
import { cyclicModel, makeModel, withMetadata } from './readers/model-reader.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string, ...parts: readonly (Uint8Array | string)[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array))));
  return path;
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'read',
    (error: unknown) => error,
  );
}

describe('mutated files', () => {
  it.each(readers.map(({ name }) => name))('%s: no crash, no hang, no large allocation, typed errors', async (name) => {
    const report = await runFuzz(name, { seed: 7, count: 200 });
    expect(report.findings).toEqual([]);
    const { read = 0, ...refused } = report.outcomes;
    const refusals = Object.values(refused).reduce((sum, times) => sum + times, 0);
    expect(read + refusals).toBe(200);
    // A run in which nothing is read, or nothing refused, tests nothing.
    expect(read).toBeGreaterThan(0);
    expect(refusals).toBeGreaterThan(25);
  });

  it('a case depends on seed and index alone', async () => {
    for (const reader of readers) {
      const seeds = await reader.seeds();
      const [a, b] = [makeCase(reader, seeds, 3, 999), makeCase(reader, seeds, 3, 999)];
      expect(a.seed.name).toBe(b.seed.name);
      expect(Buffer.compare(a.bytes, b.bytes)).toBe(0);
      expect(makeCase(reader, seeds, 3, 0).bytes).toBe(seeds[0].bytes);
    }
  });

  it('an unknown reader is an error, not an empty report', async () => {
    await expect(runFuzz('none', { seed: 1, count: 1 })).rejects.toThrow('no reader none');
  });
});

describe('bombs', () => {
  const zeros = Buffer.alloc(200 * 2 ** 20);
  const affine = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

  it('what follows the voxels is decompressed only so far, in every format', async () => {
    const bomb = gzipSync(zeros, { level: 1 });
    const small = await encodeVolumeBlob({ voxels: new Uint8Array(24), size: [4, 3, 2], affine }, 'small.nii.gz');
    const nifti = put('bomb.nii.gz', new Uint8Array(await small.arrayBuffer()), bomb);
    const nrrdFields = ['type: uchar', 'dimension: 3', 'sizes: 4 3 2', 'spacings: 1 1 1', 'encoding: gzip'];
    const nrrd = put('bomb.nrrd', `NRRD0004\n${nrrdFields.join('\n')}\n\n`, bomb);
    const meta = put(
      'bomb.mha',
      'NDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\nElementSpacing = 1 1 1\nCompressedData = True\n' +
        'ElementDataFile = LOCAL\n',
      deflateSync(zeros, { level: 1 }),
    );
    for (const path of [nifti, nrrd, meta]) {
      const start = performance.now();
      const { voxels } = await readVolume(path);
      expect(voxels).toEqual(new Uint8Array(24));
      expect(performance.now() - start).toBeLessThan(10_000);
    }
    expect(process.resourceUsage().maxRSS).toBeLessThan(1.5 * 2 ** 20);
  });

  it('a skip that would have to decompress a bomb first is refused', async () => {
    const fields = ['type: uchar', 'dimension: 3', 'sizes: 4 3 2', 'spacings: 1 1 1', 'encoding: gzip'];
    const head = `NRRD0004\n${fields.join('\n')}\nbyte skip: 400000000\n\n`;
    const path = put('skip.nrrd', head, gzipSync(zeros, { level: 1 }));
    expect(await failure(readVolume(path))).toMatchObject({ code: 'nrrd', field: 'voxels' });
  });

  it.each(yamlBombs.map((text, i) => [i, text] as const))('YAML %i', async (_i, text) => {
    const start = performance.now();
    expect(await failure(trainConfigFrom({ config: put('bomb.yaml', text) }))).toMatchObject({ code: 'config' });
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('a configuration of megabytes, or that holds itself', async () => {
    const large = put('large.yaml', Buffer.alloc(2 ** 21, '#'));
    expect(await failure(trainConfigFrom({ config: large }))).toMatchObject({ code: 'config' });
    const circle = put('circle.yaml', 'profile: quick\ndata: &d { patients: *d }\n');
    expect(await failure(trainConfigFrom({ config: circle }))).toMatchObject({
      code: 'config',
      message: expect.stringContaining('a group holds itself'),
    });
  });
});

describe('model files', () => {
  it('a cycle, a missing value and a value made twice are refused', async () => {
    const good = await makeModel({ name: 'unet3d', rootFilters: 1 });
    expect((await loadModel(put('good.onnx', good))).metadata.patch).toEqual([16, 16, 16]);
    const cyclic = await failure(loadModel(put('cyclic.onnx', cyclicModel(good))));
    expect(cyclic).toMatchObject({ code: 'model', message: expect.stringContaining("node 0 uses 'b'") });
  });

  it('absurd metadata are refused before anything is built from them', async () => {
    const good = await makeModel({ name: 'unet3d', rootFilters: 1 });
    const { metadata } = await loadModel(put('good.onnx', good));
    const changes = [
      { patch: [16_000_000, 16, 16] },
      { patch: [1600, 1600, 1600] },
      { patch: [17, 16, 16] },
      { network: { name: 'unet3d', rootFilters: 1e9 } },
      { network: { name: 'unet3d', rootFilters: 256 } },
      { network: { name: 'constructor' } },
      { weightsSha256: '0'.repeat(64) },
    ];
    for (const change of changes) {
      const text = Buffer.from(JSON.stringify({ ...metadata, ...change }));
      const error = await failure(loadModel(put('absurd.onnx', withMetadata(good, text))));
      expect(error, JSON.stringify(change)).toMatchObject({ code: 'model' });
    }
  });
});
