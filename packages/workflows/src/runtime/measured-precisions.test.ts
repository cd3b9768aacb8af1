/** The file of measured precisions: measured once, again where it is damaged or was disturbed, and no hindrance. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Executable, PrecisionSpeed, Runtime } from '@quickcolumn/runtimes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createContext } from '../context.js';
import { inThisProcess } from '../run-job.js';
import { measuredPrecisions } from './measured-precisions.js';

let folder = '';
let notes: string[] = [];
let compiled = 0;
const context = createContext(
  { onEvent: (event) => event.kind === 'note' && void notes.push(event.text) },
  inThisProcess,
);

beforeEach(async () => {
  notes = [];
  compiled = 0;
  folder = join(await mkdtemp(join(tmpdir(), 'quickcolumn-precisions-')), 'cache');
});
afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true });
});

/** Computes nothing, in two precisions. */
const runtime: Runtime = {
  name: 'idle',
  version: '1',
  instructions: 'isa 7',
  precision: 'bfloat16',
  precisions: ['float32', 'bfloat16'],
  memory: 'host',
  windowsAtOnce: 1,
  async compile(): Promise<Executable> {
    compiled++;
    return {
      bytes: 0,
      run: async () => ({}),
      readVariables: async () => new Map(),
      writeVariables: async () => undefined,
      dispose: async () => undefined,
    };
  },
};
const path = (): string => join(folder, 'precisions.json');
const measure = (
  options: { threads?: number; load?: number } = {},
  of: Partial<Runtime> = {},
): Promise<readonly PrecisionSpeed[]> =>
  measuredPrecisions({ ...runtime, ...of }, context, { folder, load: -100, ...options });

/** How often it was measured since the last look. */
function measurements(): number {
  const count = compiled / 4;
  compiled = 0;
  return count;
}

describe('measured precisions', () => {
  it('are measured once for each version, instructions and number of threads, and kept beside the others', async () => {
    const first = await measure({ threads: 2 });
    expect(first.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16']);
    expect(measurements()).toBe(1);
    expect(await measure({ threads: 2 })).toEqual(first);
    expect(measurements()).toBe(0);
    await measure({ threads: 1 });
    await measure({ threads: 2 }, { version: '2' });
    await measure({ threads: 2 }, { instructions: 'isa 8' });
    expect(measurements()).toBe(3);
    expect(await measure({ threads: 2 })).toEqual(first);
    expect(measurements()).toBe(0);
    expect(notes).toEqual([]);
  });

  it.each([
    '',
    '{"format":"quickcolumn-precisions-1","measured":{"x":',
    '{"format":"quickcolumn-precisions-1","measured":{"x":{"besideOtherWork":false,"speeds":[{"precision":"float32"}]}}}',
    '{"format":"quickcolumn-precisions-2","measured":{}}',
  ])('a damaged file is said to be damaged, once, and replaced: %s', async (text) => {
    await mkdir(folder);
    await writeFile(path(), text);
    const speeds = await measure();
    expect(notes).toEqual([`${path()} has no measured precisions that can be read; they are measured anew`]);
    expect(measurements()).toBe(1);
    expect(await measure()).toEqual(speeds);
    expect(measurements()).toBe(0);
    expect(notes).toHaveLength(1);
  });

  it('are measured anew where the runtime offers others than are kept', async () => {
    await measure();
    const kept = await readFile(path(), 'utf8');
    await writeFile(path(), kept.replace('bfloat16', 'float16'));
    const speeds = await measure();
    expect(speeds.map(({ precision }) => precision)).toEqual(['float32', 'bfloat16']);
    expect(measurements()).toBe(2);
  });

  it('that were measured beside other work serve until there is none', async () => {
    await measure({ load: 100 });
    expect(notes[0]).toMatch(/^the precisions were measured beside other work \(load 100.0, \d+ cores\): they are/);
    await measure({ load: 100 });
    expect(measurements()).toBe(1);
    await measure();
    expect(measurements()).toBe(1);
    await measure({ load: 100 });
    await measure();
    expect(measurements()).toBe(0);
  });

  it('of jobs that measure at the same time are the same', async () => {
    const slow = {
      compile: async () =>
        await new Promise<Executable>((done) => setTimeout(() => done(runtime.compile(undefined as never)), 30)),
    };
    const [a, b] = await Promise.all([measure(), measure({}, slow)]);
    expect(measurements()).toBe(2);
    expect(b).toEqual(a);
    expect(await measure()).toEqual(a);
  });

  it('that cannot be kept are told, and no hindrance', async () => {
    await writeFile(folder, 'a file in place of the folder');
    expect(await measure()).toHaveLength(2);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^the measured precisions are not kept: /);
  });

  it('are not kept by an interrupted job', async () => {
    const stopped = AbortSignal.abort();
    const ended = createContext({ signal: stopped }, inThisProcess);
    await expect(measuredPrecisions(runtime, ended, { folder })).rejects.toMatchObject({ code: 'interrupted' });
    await expect(readFile(path())).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
