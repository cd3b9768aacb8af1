/** `quickcolumn doctor` where what is optional is not installed. */
import { tmpdir } from 'node:os';
import { runtimeNames } from '@quickcolumn/runtimes';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { quickcolumn } from './cli.test.kit.js';

/** No oneDNN, no Vulkan. */
const nothing = { QUICKCOLUMN_DNNL: '/nowhere/libdnnl.so.3', QUICKCOLUMN_VULKAN: '/nowhere/libvulkan.so.1' };

afterEach(() => vi.unstubAllEnvs());

describe('doctor', () => {
  it('names every runtime, says what is missing and how to install it, and is no failure', async () => {
    for (const [name, value] of Object.entries(nothing)) vi.stubEnv(name, value);
    const { code, stdout } = await quickcolumn(tmpdir(), 'doctor', '--json');
    expect(code).toBe(0);
    const { runtimes, auto } = JSON.parse(stdout) as { runtimes: Record<string, unknown>[]; auto: string };
    expect(['auto', ...runtimes.map(({ name }) => name)]).toEqual(runtimeNames);
    const [onednn, onnx] = ['onednn', 'onnx'].map((name) => runtimes.find((one) => one.name === name));
    expect(onednn).toMatchObject({ problem: expect.stringContaining('oneDNN was not found') as string, speeds: [] });
    expect(onednn?.installation).toContain('apt-get install libdnnl2');
    expect(onnx).toMatchObject({ version: expect.stringMatching(/^\d+\./) as string });
    expect(onnx).not.toHaveProperty('problem');
    expect(auto).toMatch(/^runtime onnx .*onednn: oneDNN was not found/);
    const text = (await quickcolumn(tmpdir(), 'doctor')).stdout;
    expect(text).toMatch(/^onednn +oneDNN was not found.*\n +to install +apt-get install/m);
    expect(text).toMatch(/^onnx +\d.*\n +float32 +\d+ GFLOP\/s, \d+ threads$/m);
  });
});
