import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FileError, hashFile, makeFolder, writeFileAtomic } from '../index.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickcolumn-io-'));
});
beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  it('writes bytes, text and what a function writes, and replaces', async () => {
    const path = join(folder, 'a');
    await writeFileAtomic(path, new Uint8Array([1, 2, 3]));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    await writeFileAtomic(path, 'text');
    expect(readFileSync(path, 'utf8')).toBe('text');
    await writeFileAtomic(path, async (temporary) => await writeFile(temporary, 'streamed'));
    expect(readFileSync(path, 'utf8')).toBe('streamed');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('a failing writer leaves the old file and no temporary', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, 'old');
    const failing = writeFileAtomic(path, async (temporary) => {
      await writeFile(temporary, 'half');
      throw new RangeError('mine');
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['a']);
  });

  it('what the system refuses is a FileError with path and code', async () => {
    const missing = join(folder, 'none', 'a');
    await expect(writeFileAtomic(missing, 'x')).rejects.toThrow(
      `${missing}: cannot write: no such file or folder (ENOENT)`,
    );
    mkdirSync(join(folder, 'taken'));
    await expect(writeFileAtomic(join(folder, 'taken'), 'x')).rejects.toThrow(FileError);
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  it('is readable for its owner alone where that is asked for, also where it replaces another file', async () => {
    const path = join(folder, 'a');
    const modeOf = (file: string): number => statSync(file).mode & 0o777;
    await writeFileAtomic(path, 'text');
    expect(modeOf(path) & 0o044).toBe(0o044);
    await writeFileAtomic(path, 'text', { private: true });
    expect(modeOf(path)).toBe(0o600);
    await writeFileAtomic(path, async (temporary) => await writeFile(temporary, 'streamed'), { private: true });
    expect(modeOf(path)).toBe(0o600);
    await makeFolder(join(folder, 'above', 'mine'), { private: true });
    expect(modeOf(join(folder, 'above', 'mine'))).toBe(0o700);
    await makeFolder(join(folder, 'above'), { private: true });
    expect(modeOf(join(folder, 'above')) & 0o055).toBe(0o055);
  });

  it('many writers of one path at once: one of them wins whole', async () => {
    const path = join(folder, 'a');
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(10000));
    await Promise.all(texts.map(async (text) => await writeFileAtomic(path, text)));
    expect(texts).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(folder)).toEqual(['a']);
  });
});

describe('hashFile', () => {
  it('is SHA-256 (FIPS 180 example "abc")', async () => {
    writeFileSync(join(folder, 'abc'), 'abc');
    expect(await hashFile(join(folder, 'abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    await expect(hashFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'file-read' });
  });
});
