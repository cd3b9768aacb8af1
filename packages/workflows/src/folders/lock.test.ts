/** Processes that want one folder: real ones, killed ones, and ones of other machines as their locks show them. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuickcolumnError } from '@quickcolumn/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withLock } from './lock.js';
import { goneAfterMs, type LockOwner, lockName, parseOwner, signEveryMs, thisProcess } from './lock-owner.js';

const module = fileURLToPath(new URL('../../dist/folders/lock.js', import.meta.url));

let folder = '';
let place = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-lock-'));
  place = join(folder, 'run');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const lockOf = (): LockOwner | undefined => parseOwner(readFileSync(join(place, lockName), 'utf8'));
const taken = (): Promise<string> => withLock({ place, doing: 'train' }, () => Promise.resolve('done'));

/** A process that holds the lock until it is killed, or says why it could not. */
async function holder(): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const program = `
    import { withLock } from ${JSON.stringify(module)};
    const request = { place: ${JSON.stringify(place)}, doing: 'train' };
    await withLock(request, () => new Promise(() => { console.log('held'); setInterval(() => {}, 1000); }))
      .catch((error) => console.log(error.code));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise<string>((got) => child.stdout.once('data', (text: Buffer) => got(text.toString())));
  return { child, said: said.trim() };
}

async function killed(child: ChildProcess): Promise<void> {
  const closed = new Promise((done) => child.once('close', done));
  child.kill('SIGKILL');
  await closed;
}

/** A lock as another process has left it, last written `ageMs` ago. */
async function leave(owner: Partial<LockOwner>, ageMs: number): Promise<void> {
  mkdirSync(place, { recursive: true });
  const since = '2026-01-02T03:04:05.000Z';
  const whole = { ...(await thisProcess()), doing: 'train', since, token: 'other', ...owner };
  writeFileSync(join(place, lockName), JSON.stringify(whole));
  const seconds = (Date.now() - ageMs) / 1000;
  utimesSync(join(place, lockName), seconds, seconds);
}

describe('a lock', () => {
  it('is whole while it is held and gone afterwards, with the folder that was made for it', async () => {
    const here = await thisProcess();
    const deep = join(place, 'a', 'b');
    await withLock({ place: deep, doing: 'evaluate' }, async () => {
      expect(readdirSync(deep)).toEqual([lockName]);
      expect(parseOwner(readFileSync(join(deep, lockName), 'utf8'))).toMatchObject({ ...here, doing: 'evaluate' });
    });
    expect(readdirSync(folder)).toEqual([]);
    await withLock({ place, doing: 'train' }, async () => writeFileSync(join(place, 'model'), ''));
    expect(readdirSync(place)).toEqual(['model']);
    const failing = withLock({ place, doing: 'train' }, () => Promise.reject(new RangeError('mine')));
    await expect(failing).rejects.toThrow(RangeError);
    expect(readdirSync(place)).toEqual(['model']);
  });

  it('of a file lies beside it, one a file', async () => {
    const file = (name: string) => ({ place: join(folder, name), isFile: true, doing: 'predict' });
    await withLock(file('a.nii.gz'), async () => {
      expect(await withLock(file('b.nii.gz'), () => Promise.resolve('both'))).toBe('both');
      await expect(withLock(file('a.nii.gz'), () => Promise.resolve())).rejects.toMatchObject({ code: 'busy' });
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a second job of the same process, and one of another, naming the first', async () => {
    await withLock({ place, doing: 'train' }, async () => {
      expect((await holder()).said).toBe('busy');
      await expect(taken()).rejects.toMatchObject({ code: 'busy' });
    });
    const { child, said } = await holder();
    expect(said).toBe('held');
    const error = await taken().catch((thrown: unknown) => thrown as QuickcolumnError);
    const since = lockOf()?.since.slice(0, 19).replace('T', ' ');
    expect(error).toMatchObject({
      code: 'busy',
      message: `${place} is in use by 'train', process ${child.pid} on ${hostname()}, since ${since} UTC; wait until it has ended, end it, or choose another place`,
      fields: { path: place, owner: { pid: child.pid, host: hostname() } },
    });
    await killed(child);
  });

  it('of a killed process is taken over, and one that exits leaves none', async () => {
    const { child } = await holder();
    await killed(child);
    expect(existsSync(join(place, lockName))).toBe(true);
    expect(await taken()).toBe('done');
    const program = `
      import { withLock } from ${JSON.stringify(module)};
      await withLock({ place: ${JSON.stringify(place)}, doing: 'train' }, () => process.exit(130));`;
    const ended = spawn(process.execPath, ['--input-type=module', '-e', program]);
    expect(await new Promise((done) => ended.once('close', done))).toBe(130);
    expect(existsSync(join(place, lockName))).toBe(false);
  });

  it('that is stale goes to one of many', async () => {
    for (let round = 0; round < 8; round++) {
      await leave({ pid: 2 ** 22 + 7 }, 0);
      let inside = 0;
      let most = 0;
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () =>
          withLock({ place, doing: 'train' }, async () => {
            most = Math.max(most, ++inside);
            await new Promise((done) => setTimeout(done, 20));
            inside--;
          }),
        ),
      );
      expect(most).toBe(1);
      expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
      expect(readdirSync(place)).toEqual([]);
    }
  });

  it.each([
    ['whose number another process has now', { started: '1' }],
    ['of a process that is not there', { pid: 2 ** 22 + 7 }],
  ])('%s is stale at once', async (_, owner) => {
    await leave(owner, 0);
    expect(await taken()).toBe('done');
  });

  it.each([
    ['another host', { host: 'elsewhere', boot: 'other' }],
    ['another container', { pidSpace: 'pid:[7]' }],
    ['before a reboot', { boot: 'other' }],
  ])('of %s holds as long as it shows signs of life', async (_, owner) => {
    await leave(owner, 30_000);
    await expect(taken()).rejects.toThrow(
      /its last sign of life is [23]\d s old: if it is gone, run this again in (8\d|90) s, or remove /,
    );
    await leave(owner, goneAfterMs + 5_000);
    expect(await taken()).toBe('done');
    // The clock has been put back.
    await leave(owner, -goneAfterMs - 5_000);
    expect(await taken()).toBe('done');
  });

  it('that cannot be read holds for a while', async () => {
    await leave({}, 0);
    writeFileSync(join(place, lockName), '{"host":');
    await expect(taken()).rejects.toThrow(/is in use by another process; /);
    const before = Date.now() / 1000 - 1000;
    utimesSync(join(place, lockName), before, before);
    expect(await taken()).toBe('done');
  });

  it('shows signs of life, and its owner stops when it was taken', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const work = withLock({ place, doing: 'train' }, async (signal) => {
      const path = join(place, lockName);
      utimesSync(path, 1, 1);
      vi.advanceTimersByTime(signEveryMs);
      await vi.waitUntil(() => statSync(path).mtimeMs > 10_000);
      expect(signal.aborted).toBe(false);
      await leave({ pid: 4711, host: 'elsewhere' }, 0);
      vi.advanceTimersByTime(signEveryMs);
      await new Promise((done) => signal.addEventListener('abort', done));
      throw new QuickcolumnError('interrupted', 'interrupted');
    });
    await expect(work).rejects.toThrow(
      "was taken over by 'train', process 4711 on elsewhere, since 2026-01-02 03:04:05 UTC, because this process stood still",
    );
    expect(lockOf()?.pid).toBe(4711);
  });
});
