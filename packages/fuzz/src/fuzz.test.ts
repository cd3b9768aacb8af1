/**
 * A small run of every reader (`npm run fuzz` makes large ones), the harness itself, and attacks on models that mutation
 * does not find by chance: absurd promises, cycles. Bombs have a file of their own.
 */
import { loadModel } from '@quickcolumn/predict';
import { describe, expect, it } from 'vitest';
import { useFolder } from './folder.test.helpers.js';
import { makeCase } from './run/cases.js';
import { readers, runFuzz } from './index.js';
import { cyclicModel, makeModel, withMetadata } from './readers/model-reader.js';

const { put, failure } = useFolder();

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
