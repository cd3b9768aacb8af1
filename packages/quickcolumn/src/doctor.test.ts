/** `quickcolumn doctor` where what is optional is not installed. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runtimeNames } from '@quickcolumn/runtimes';
import { needs } from '@quickcolumn/testing';
import type { MachineSurvey } from '@quickcolumn/workflows';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { quickcolumn } from './command.test.helpers.js';

interface Survey extends Pick<MachineSurvey, 'auto' | 'precisions'> {
  readonly runtimes: Record<string, unknown>[];
}

interface Kept {
  readonly measured: Readonly<Record<string, { readonly speeds: NonNullable<Survey['precisions']>['speeds'] }>>;
}

/** No oneDNN, no Vulkan. */
const nothing = { QUICKCOLUMN_DNNL: '/nowhere/libdnnl.so.3', QUICKCOLUMN_VULKAN: '/nowhere/libvulkan.so.1' };

afterEach(() => vi.unstubAllEnvs());

describe('doctor', () => {
  it('names every runtime, says what is missing and how to install it, and is no failure', async () => {
    for (const [name, value] of Object.entries(nothing)) vi.stubEnv(name, value);
    const { code, stdout } = await quickcolumn(tmpdir(), 'doctor', '--json');
    expect(code).toBe(0);
    const { runtimes, auto, precisions } = JSON.parse(stdout) as Survey;
    expect(['auto', ...runtimes.map(({ name }) => name)]).toEqual(runtimeNames);
    const [onednn, onnx] = ['onednn', 'onnx'].map((name) => runtimes.find((one) => one.name === name));
    expect(onednn).toMatchObject({ problem: expect.stringContaining('oneDNN was not found') as string, speeds: [] });
    expect(onednn?.installation).toContain('apt-get install libdnnl2');
    expect(onnx).toMatchObject({ version: expect.stringMatching(/^\d+\./) as string });
    expect(onnx).not.toHaveProperty('problem');
    for (const one of [auto.training, auto.prediction]) {
      expect(one).toMatchObject({ runtime: 'onnx', precision: 'float32' });
      expect(one.reason).toMatch(/^runtime onnx .*onednn: oneDNN was not found/);
    }
    // A runtime with one precision is not measured.
    expect(precisions).toBeUndefined();
    const text = (await quickcolumn(tmpdir(), 'doctor')).stdout;
    expect(text).toMatch(/^onednn +oneDNN was not found.*\n +to install +apt-get install/m);
    expect(text).toMatch(/^onnx +\d.*\n +float32 +\d+ GFLOP\/s, \d+ threads$/m);
  });

  it('shows both measured numbers, and what was chosen by them', needs('oneDNN'), async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-doctor-'));
    vi.stubEnv('QUICKCOLUMN_VULKAN', nothing.QUICKCOLUMN_VULKAN);
    try {
      const cwd = join(folder, 'here');
      await mkdir(cwd);
      const { auto, precisions } = JSON.parse((await quickcolumn(cwd, 'doctor', '--json')).stdout) as Survey;
      expect(auto.training.runtime).toBe('onednn');
      const text = (await quickcolumn(cwd, 'doctor')).stdout;
      if (precisions === undefined) {
        // A processor without bfloat16.
        expect(auto.training.precision).toBe('float32');
        expect(text).toMatch(/^auto +runtime onednn/m);
        return;
      }
      expect(precisions.speeds.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16']);
      expect(precisions.file).toBe(join(folder, 'cache', 'precisions.json'));
      for (const [work, key] of [
        ['training', 'stepSeconds'],
        ['prediction', 'predictionSeconds'],
      ] as const) {
        const [exact, narrow] = precisions.speeds.map((one) => one[key]);
        expect(auto[work].precision).toBe(exact / narrow >= 1.05 ? 'bfloat16' : 'float32');
        expect(auto[work].reason).toContain(`${Number((1000 * exact).toPrecision(3))} ms in float32`);
      }
      // What is kept, for it may have been measured once more meanwhile.
      const { measured } = JSON.parse(await readFile(precisions.file, 'utf8')) as Kept;
      const [{ speeds }] = Object.values(measured);
      for (const { precision, stepSeconds, predictionSeconds } of speeds) {
        const [step, pass] = [stepSeconds, predictionSeconds].map((seconds) => (1000 * seconds).toFixed(1));
        expect(text).toContain(`  ${precision.padEnd(16)} training step ${step} ms, forward pass ${pass} ms`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
