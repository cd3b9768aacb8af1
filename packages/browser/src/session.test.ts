/**
 * A graphics device that fails while it runs: what `auto` and `webgpu` by name do then. The device is played by ONNX Runtime
 * in Node, which fails when told to; give-up.test.ts loses a real one in Chromium.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as runtimes from '@quickcolumn/runtimes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeQuickModel } from './model.test.kit.js';
import type { OpenedRuntime } from './open-runtime.js';
import type { BrowserPrediction, OpenRequest, PredictProgress } from './protocol.js';
import { openSession, type Session } from './session.js';

// Types are those of browsers here; in Node the package has this runtime too.
const { openOnnx } = runtimes as typeof runtimes & { readonly openOnnx: () => Promise<runtimes.Runtime> };
const onnxRuntime = await openOnnx();
const { RuntimeError } = runtimes;

const folder = mkdtempSync(join(tmpdir(), 'quickcolumn-session-'));
const file = (name: string): File => new File([Uint8Array.from(readFileSync(join(folder, name)))], name);
let expected: BrowserPrediction;

beforeAll(async () => {
  await makeQuickModel(folder);
  const { session } = await begin('auto', 'never');
  ({ prediction: expected } = await scanned(session));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** When the device fails; `compiling` and `second window` once for each device that is opened. */
type Failing = 'never' | 'compiling' | 'second window';

interface Counts {
  opened: number;
  closed: number;
  disposed: number;
  taken: number;
}

interface Begun {
  readonly session: Session;
  readonly counts: Counts;
}

/** @param goodFrom number of the first device that does not fail */
async function begin(
  runtime: OpenRequest['runtime'],
  failing: Failing,
  { fault = lost(), goodFrom = Number.POSITIVE_INFINITY }: { fault?: Error; goodFrom?: number } = {},
): Promise<Begun> {
  const counts: Counts = { opened: 0, closed: 0, disposed: 0, taken: 0 };
  const open = async (): Promise<OpenedRuntime> => {
    const fails = ++counts.opened < goodFrom ? failing : 'never';
    const instead = (problem: string): OpenedRuntime => {
      counts.taken++;
      return { engine: onnxRuntime, runtime: 'wasm', threads: 2, reason: `WebGPU was given up: ${problem}` };
    };
    return {
      engine: failingEngine(fails, fault, counts),
      runtime: 'webgpu',
      reason: `device ${counts.opened}`,
      close: () => void counts.closed++,
      ...(runtime === 'auto' ? { instead } : {}),
    };
  };
  const model = Uint8Array.from(readFileSync(join(folder, 'model.onnx'))).buffer;
  return { session: await openSession({ model, name: 'model.onnx', runtime, assets: '/' }, open), counts };
}

const lost = (reason = 'device-lost'): Error =>
  new RuntimeError('the card burns', { runtime: 'webgpu', ...(reason === '' ? {} : { reason }) });

function failingEngine(failing: Failing, fault: Error, counts: Counts): runtimes.Runtime {
  return {
    name: 'webgpu',
    version: 'a card',
    precision: 'float32',
    precisions: ['float32'],
    memory: 'card',
    windowsAtOnce: 1,
    async compile(graph, options) {
      if (failing === 'compiling') throw fault;
      const executable = await onnxRuntime.compile(graph, options);
      let runs = 0;
      return {
        bytes: executable.bytes,
        async run(inputs) {
          if (++runs === 2 && failing === 'second window') throw fault;
          return await executable.run(inputs);
        },
        readVariables: () => executable.readVariables(),
        writeVariables: (values) => executable.writeVariables(values),
        async dispose() {
          counts.disposed++;
          await executable.dispose();
        },
      };
    },
  };
}

async function scanned(
  session: Session,
  { scan = 'scan.nii.gz', stop = new AbortController() }: { scan?: string; stop?: AbortController } = {},
  onProgress: (progress: PredictProgress) => void = () => {},
): Promise<{ prediction: BrowserPrediction; progress: PredictProgress[] }> {
  const progress: PredictProgress[] = [];
  const prediction = await session.predict(
    [file(scan)],
    {},
    {
      signal: stop.signal,
      onProgress(event) {
        progress.push(event);
        onProgress(event);
      },
    },
  );
  return { prediction, progress };
}

const stagesOn = (progress: readonly PredictProgress[], wanted: string): string[] => [
  ...new Set(progress.filter(({ runtime }) => runtime === wanted).map(({ stage }) => stage)),
];

describe('a device that auto has chosen', () => {
  const whole = ['read', 'prepare', 'windows', 'restore', 'write'];

  it('is used while it works', async () => {
    const { session, counts } = await begin('auto', 'never');
    const { prediction, progress } = await scanned(session);
    expect(prediction).toMatchObject({ runtime: 'webgpu', reason: 'device 1' });
    expect(stagesOn(progress, 'webgpu')).toEqual(whole);
    expect(progress.filter(({ stage }) => stage === 'windows').length).toBeGreaterThan(2);
    expect(counts).toEqual({ opened: 1, closed: 0, disposed: 0, taken: 0 });
  });

  it('is given up when a window fails: the whole scan is predicted by WebAssembly, and every later one', async () => {
    const { session, counts } = await begin('auto', 'second window');
    expect(session.info).toMatchObject({ runtime: 'webgpu', reason: 'device 1' });
    const { prediction, progress } = await scanned(session);
    const now = { runtime: 'wasm', threads: 2, reason: 'WebGPU was given up: the card burns' };
    expect(prediction).toMatchObject(now);
    expect(prediction.labels).toEqual(expected.labels);
    expect(stagesOn(progress, 'webgpu')).toEqual(['read', 'prepare', 'windows']);
    expect(stagesOn(progress, 'wasm')).toEqual(whole);
    expect(progress.at(-1)).toMatchObject(now);
    expect(session.info).toMatchObject({ ...now, name: 'model.onnx' });
    expect(counts).toEqual({ opened: 1, closed: 1, disposed: 1, taken: 1 });

    const later = await scanned(session);
    expect(later.prediction).toMatchObject(now);
    expect(stagesOn(later.progress, 'webgpu')).toEqual([]);
    expect(counts).toEqual({ opened: 1, closed: 1, disposed: 1, taken: 1 });
  });

  it.each(['memory', 'failed', 'validation', 'shader'])(
    'is given up when it refuses the network (%s)',
    async (reason) => {
      const { session, counts } = await begin('auto', 'compiling', { fault: lost(reason) });
      const { prediction } = await scanned(session);
      expect(prediction.runtime).toBe('wasm');
      expect(prediction.labels).toEqual(expected.labels);
      expect(counts).toEqual({ opened: 1, closed: 1, disposed: 0, taken: 1 });
    },
  );

  it('is kept after what is no fault of it', async () => {
    const { session } = await begin('auto', 'never');
    await expect(scanned(session, { scan: 'model.onnx' })).rejects.toMatchObject({ code: 'nifti' });
    expect((await scanned(session)).prediction.runtime).toBe('webgpu');
    for (const fault of [lost(''), new RangeError('ours')]) {
      const { session: other, counts } = await begin('auto', 'second window', { fault });
      await expect(scanned(other)).rejects.toBe(fault);
      expect(counts).toEqual({ opened: 1, closed: 0, disposed: 0, taken: 0 });
    }
  });

  it('and a cancelled request: nothing is predicted anew, the next scan runs on WebAssembly', async () => {
    const { session, counts } = await begin('auto', 'compiling');
    const stop = new AbortController();
    const cancelled = scanned(session, { stop }, ({ stage }) => {
      if (stage === 'read') stop.abort();
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'interrupted' });
    expect(counts).toMatchObject({ closed: 1, taken: 0 });
    expect((await scanned(session)).prediction).toMatchObject({ runtime: 'wasm' });
    expect(counts).toMatchObject({ opened: 1, taken: 1 });
  });
});

describe('a device that was asked for by name', () => {
  it('fails the request, and the next one opens a device anew', async () => {
    const fault = lost();
    const { session, counts } = await begin('webgpu', 'second window', { fault, goodFrom: 3 });
    await expect(scanned(session)).rejects.toBe(fault);
    await expect(scanned(session)).rejects.toBe(fault);
    const { prediction, progress } = await scanned(session);
    expect(prediction).toMatchObject({ runtime: 'webgpu', reason: 'device 3' });
    expect(prediction.labels).toEqual(expected.labels);
    expect(stagesOn(progress, 'wasm')).toEqual([]);
    expect(session.info.reason).toBe('device 3');
    expect(counts).toEqual({ opened: 3, closed: 2, disposed: 2, taken: 0 });
  });
});
