/** The runtime that a job computes with, and the file of measured kernels. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RuntimeName, runtimeProviders } from '@quickcolumn/runtimes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createContext } from '../context.js';
import type { JobEvent } from '../events.js';
import { inThisProcess } from '../run-job.js';
import { chooseDevice } from './choose-device.js';
import { measuredKernels } from './measured-kernels.js';

let folder = '';
let events: JobEvent[] = [];
const context = createContext({ onEvent: (event) => events.push(event) }, inThisProcess);
const store = (): ReturnType<typeof measuredKernels> => measuredKernels(context, folder);
const notes = (): string[] => events.flatMap((event) => (event.kind === 'note' ? [event.text] : []));

beforeEach(async () => {
  events = [];
  folder = await mkdtemp(join(tmpdir(), 'quickcolumn-device-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('measured kernels', () => {
  it('are kept by adapter, those of others beside them', async () => {
    expect(await store().load('a card')).toEqual(new Map());
    await store().save('a card', new Map([['convolution 1', 'staged']]));
    await store().save('another', new Map([['convolution 1', 'direct']]));
    const tiles = new Map([
      ['convolution 1', 'staged'],
      ['convolution 2', 'direct'],
    ]);
    await store().save('a card', tiles);
    expect(await store().load('a card')).toEqual(tiles);
    expect(await store().load('another')).toEqual(new Map([['convolution 1', 'direct']]));
  });

  it.each(['', '{"format":', '{"format":"other","adapters":{}}', '{"adapters":{"a card":{"x":1}}}'])(
    'a damaged file is reported, counts as empty and is replaced: %s',
    async (text) => {
      const path = join(folder, 'webgpu-tiles.json');
      await writeFile(path, text);
      const damaged = store();
      expect(await damaged.load('a card')).toEqual(new Map());
      expect(notes()).toEqual([`${path} has no measured kernels that can be read; they are measured anew`]);
      await damaged.save('a card', new Map([['k', 'v']]));
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
        format: 'quickcolumn-webgpu-tiles-1',
        adapters: { 'a card': { k: 'v' } },
      });
    },
  );

  it('report their progress, and where they are kept', () => {
    const measured = store();
    for (let done = 0; done <= 4; done++) measured.onProgress?.({ done, total: 4 });
    expect(events[0]).toEqual({ kind: 'progress', activity: 'measure kernels', text: '0 of 4', done: 0, total: 4 });
    const text = `4 kept in ${join(folder, 'webgpu-tiles.json')}`;
    expect(events.at(-1)).toEqual({ kind: 'finished', activity: 'measure kernels', text });
  });
});

describe('device', () => {
  it('is told, and that there is nothing to measure without a graphics card', async () => {
    const { runtime } = await chooseDevice({ runtime: 'onnx', autotune: true, work: 'prediction' }, context);
    expect(runtime.name).toBe('onnx');
    expect(notes()[0]).toMatch(/^runtime onnx /);
    expect(notes()[1]).toBe('no kernels are measured: only those of graphics cards are (runtime webgpu)');
    events = [];
    await chooseDevice({ runtime: 'onnx', work: 'prediction' }, context);
    expect(events).toHaveLength(1);
  });

  it('measures no precision that is named, and none of a runtime that has only one', async () => {
    await chooseDevice({ runtime: 'onnx', precision: 'auto', work: 'training' }, context);
    for (const provider of await runtimeProviders()) {
      if (provider.runsOn !== 'processor') continue;
      const isHere = (await provider.find().catch(() => undefined)) !== undefined;
      const runtime = provider.name as RuntimeName;
      if (isHere) await chooseDevice({ runtime, precision: 'float32', work: 'training' }, context);
    }
    expect(events.map(({ kind }) => kind)).toEqual(events.map(() => 'note'));
  });
});
