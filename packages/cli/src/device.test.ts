/** The runtime that a command computes with, and the file of measured kernels. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chooseDevice, tileFile } from './device.js';
import { describeError } from './errors.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-device-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

function stderr(): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).trimEnd());
    return true;
  });
  return lines;
}

describe('measured kernels', () => {
  it('are kept by adapter, those of others beside them', async () => {
    expect(await tileFile(folder).load('a card')).toEqual(new Map());
    await tileFile(folder).save('a card', new Map([['convolution 1', 'staged']]));
    await tileFile(folder).save('another', new Map([['convolution 1', 'direct']]));
    const tiles = new Map([
      ['convolution 1', 'staged'],
      ['convolution 2', 'direct'],
    ]);
    await tileFile(folder).save('a card', tiles);
    expect(await tileFile(folder).load('a card')).toEqual(tiles);
    expect(await tileFile(folder).load('another')).toEqual(new Map([['convolution 1', 'direct']]));
  });

  it.each(['', '{"format":', '{"format":"other","adapters":{}}', '{"adapters":{"a card":{"x":1}}}'])(
    'a file that is none of ours is said to be, counts as empty and is replaced: %s',
    async (text) => {
      const lines = stderr();
      const path = join(folder, 'webgpu-tiles.json');
      await writeFile(path, text);
      const store = tileFile(folder);
      expect(await store.load('a card')).toEqual(new Map());
      expect(lines).toEqual([`${path} has no measured kernels that can be read; they are measured anew`]);
      await store.save('a card', new Map([['k', 'v']]));
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
        format: 'quickcolumn-webgpu-tiles-1',
        adapters: { 'a card': { k: 'v' } },
      });
    },
  );

  it('the progress is said, and where they are', () => {
    const lines = stderr();
    const store = tileFile(folder);
    for (let done = 0; done <= 4; done++) store.onProgress?.({ done, total: 4 });
    expect(lines[0]).toMatch(/^measuring kernels of the graphics card, once: 0 of 4$/);
    expect(lines.at(-1)).toContain(`4 kept in ${join(folder, 'webgpu-tiles.json')}`);
  });
});

describe('device', () => {
  it('says what computes, and that there is nothing to measure without a graphics card', async () => {
    const lines = stderr();
    const { runtime } = await chooseDevice({ runtime: 'onnx', autotune: true });
    expect(runtime.name).toBe('onnx');
    expect(lines[0]).toMatch(/^runtime onnx /);
    expect(lines[1]).toBe('nothing is measured: --autotune is for graphics cards (--runtime webgpu)');
    lines.length = 0;
    await chooseDevice({ runtime: 'onnx' });
    expect(lines).toHaveLength(1);
  });

  it('that lacks a precision is refused with the flag to type, which the library does not know', async () => {
    const error: unknown = await chooseDevice({ runtime: 'onnx', precision: 'float16' }).catch(
      (cause: unknown) => cause,
    );
    expect((error as Error).message).toBe('onnx does not compute in float16 on this machine, only in float32');
    expect(describeError(error)).toMatch(/only in float32\nUse --precision auto or float32\.$/);
  });
});
