/**
 * Models whose kernels are kept in float16: the file is half as large, any ONNX Runtime opens it, and every runtime of ours
 * computes with the same numbers as with the float32 weights, as far as float16 tells them apart.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportModel, type ExportOptions } from '@quickcolumn/learn';
import { type NetworkConfig, predictionGraph } from '@quickcolumn/networks';
import { paperPreparation } from '@quickcolumn/pipeline';
import { ModelError, modelOn, readModel } from '@quickcolumn/predict';
import {
  type NamedTensor,
  openOneDnn,
  openOnnx,
  openWebGpu,
  readModelParts,
  type Runtime,
} from '@quickcolumn/runtimes';
import { needs, useSoftwareWhereNeeded } from '@quickcolumn/testing';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

useSoftwareWhereNeeded();
const network: NetworkConfig = {
  name: 'qchc-unet',
  rootFilters: 4,
  resize: 'trilinear',
  bottomLevel: true,
  quickConnection: true,
  hypercolumn: true,
};
const patch = [16, 16, 16] as const;
const image = Float32Array.from({ length: 16 ** 3 }, (_, i) => 1.4 * Math.sin(i * 0.1) + Math.cos(i * 0.013));
const metadata: ExportOptions['metadata'] = {
  preparation: paperPreparation,
  patch,
  overlap: [8, 8, 8],
  training: { steps: 1 },
  notes: 'made by a test',
};

/** As training leaves them: kernels of He's size, variances far beyond float16 among the statistics. */
function madeUpWeights(): Map<string, NamedTensor> {
  let at = 0;
  const weights = new Map<string, NamedTensor>();
  for (const [name, { node, initializer }] of predictionGraph(network, 4, patch, 1).variables) {
    const length = node.shape.reduce((product, size) => product * size, 1);
    const normal = (): number => 1.4 * Math.sin(++at * 12.9898);
    const value = (): number =>
      initializer.kind === 'normal' ? initializer.sd * normal() : initializer.value + 0.1 * normal();
    weights.set(name, { shape: node.shape, data: Float32Array.from({ length }, value) });
  }
  return weights;
}

describe('a model in float16', () => {
  const variables = madeUpWeights();
  let folder = '';
  const at = (name: string): string => join(folder, `${name}.onnx`);
  const write = async (name: string, options: Partial<ExportOptions> = {}): Promise<void> =>
    await exportModel(at(name), { network, variables, metadata, ...options });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-float16-'));
    await write('full');
    await write('half', { weights: 'float16' });
    await write('widened', { variables: (await readModel(at('half'))).weights });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('takes half the bytes, keeps what is one number a channel as it is, and rounds kernels to 11 bits', async () => {
    const [full, half] = [await stat(at('full')), await stat(at('half'))];
    const parts = readModelParts(await readFile(at('half'))).initializers;
    const { weights, metadata: read } = await readModel(at('half'));
    expect(read.version).toBe(3);
    let kernels = 0;
    for (const [name, { shape, data }] of variables) {
      const kept = weights.get(name)?.data ?? new Float32Array();
      expect(kept.length, name).toBe(data.length);
      const kind = parts.find((part) => [name, `${name}/float16`].includes(part.name))?.type;
      expect(kind, name).toBe(shape.length > 1 ? 'float16' : 'float32');
      if (shape.length === 1) expect(kept, name).toEqual(data);
      else {
        kernels += data.length;
        // Half a unit of the last of 11 bits; below 2^-14, of 2^-24.
        const off = data.findIndex(
          (value, i) => Math.abs(kept[i] - value) > Math.max(2 ** -11 * Math.abs(value), 2 ** -25),
        );
        expect(off, name).toBe(-1);
        expect(kept, name).not.toEqual(data);
      }
    }
    // But for the nodes that make float32 of them.
    expect(full.size - half.size).toBeGreaterThan(2 * kernels * 0.9);
    expect(half.size).toBeLessThan(0.6 * full.size);
  });

  it('is the same file each time, and its checksum is that of the weights as they are computed with', async () => {
    await write('again', { weights: 'float16' });
    expect(await readFile(at('again'))).toEqual(await readFile(at('half')));
    const half = await readModel(at('half'));
    // Through float32 and back: the same weights, the same checksum, the same file.
    const widened = await readModel(at('widened'));
    expect(widened.metadata.weightsSha256).toBe(half.metadata.weightsSha256);
    expect((await readModel(at('full'))).metadata.weightsSha256).not.toBe(half.metadata.weightsSha256);
    await write('back', { variables: widened.weights, weights: 'float16' });
    expect(await readFile(at('back'))).toEqual(await readFile(at('half')));
  });

  it('a changed byte of a kernel is noticed', async () => {
    const bytes = await readFile(at('half'));
    const { initializers } = readModelParts(bytes);
    const kernel = initializers.find(({ type }) => type === 'float16')?.bytes ?? new Uint8Array();
    bytes[bytes.indexOf(kernel) + 3] ^= 1;
    await writeFile(at('changed'), bytes);
    await expect(readModel(at('changed'))).rejects.toThrow(ModelError);
    await expect(readModel(at('changed'))).rejects.toThrow('its weights do not match their checksum');
  });

  it('a kernel beyond float16 is refused by name; statistics may be', async () => {
    const changed = (name: string, value: number): Map<string, NamedTensor> => {
      const { shape, data } = variables.get(name) ?? { shape: [], data: new Float32Array() };
      return new Map(variables).set(name, { shape, data: data.with(1, value) });
    };
    const names = [...variables.keys()];
    const kernel = names.find((name) => (variables.get(name)?.shape.length ?? 0) > 1) ?? '';
    const variance = names.find((name) => /var/i.test(name)) ?? '';
    for (const value of [65520, Infinity, NaN]) {
      const writing = write('beyond', { variables: changed(kernel, value), weights: 'float16' });
      await expect(writing).rejects.toMatchObject({ code: 'model', fields: { name: kernel } });
      await expect(readFile(at('beyond'))).rejects.toThrow('ENOENT');
    }
    await write('large', { variables: changed(variance, 1e9), weights: 'float16' });
    expect((await readModel(at('large'))).weights.get(variance)?.data[1]).toBe(1e9);
  });

  const probabilities = async (name: string, runtime: Runtime): Promise<Float32Array> => {
    const model = modelOn(await readModel(at(name)), { runtime, precision: 'float32' });
    const compiled = await model.compile(patch, 1);
    try {
      return (await compiled.run(image)).slice();
    } finally {
      await compiled.dispose();
    }
  };
  const largestDifference = (a: Float32Array, b: Float32Array): number =>
    a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

  const meanDifference = (a: Float32Array, b: Float32Array): number =>
    a.reduce((sum, value, i) => sum + Math.abs(value - b[i]) / a.length, 0);

  const runtimes = [
    ['onnx', {}, openOnnx],
    ['onednn', needs('oneDNN'), openOneDnn],
    ['webgpu', needs('WebGPU'), openWebGpu],
  ] as const;
  describe.each(runtimes)('on %s', (_name, judged, open) => {
    it('predicts as in float32, and as ONNX Runtime does by itself', judged, async () => {
      const runtime = await open();
      if (typeof runtime === 'string') throw new Error(runtime);
      const [full, half] = [await probabilities('full', runtime), await probabilities('half', runtime)];
      expect(half.some((p) => p > 0.05 && p < 0.95)).toBe(true);
      // Rounded weights are other weights; what they were before and after the file is the same.
      expect(largestDifference(await probabilities('widened', runtime), half)).toBe(0);
      expect(meanDifference(full, half)).toBeLessThan(0.003);
      expect(meanDifference(full, half)).toBeGreaterThan(0);
      const session = await ort.InferenceSession.create(at('half'), { logSeverityLevel: 3 });
      const { probabilities: alone } = await session.run({ image: new ort.Tensor('float32', image, [1, 1, ...patch]) });
      expect(largestDifference(alone.data as Float32Array, half)).toBeLessThan(1e-4);
      await session.release();
      runtime.close?.();
    });
  });
});
