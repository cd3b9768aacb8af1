import { copyFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { writeVolume } from '@quickcolumn/io';
import { type Affine, GridMismatchError, msdClasses, type Size3 } from '@quickcolumn/volume';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CachedScan, openPrepared, prepareCached, PreparedCacheError, type PrepareProgress } from './cache.js';
import { paperPreparation, type PreparationConfig } from './config.js';

const config: PreparationConfig = { ...paperPreparation, spacingMm: [2, 2, 2], classes: msdClasses };
const size: Size3 = [12, 10, 8];
const affine: Affine = [1.5, 0, 0, -5, 0, -1.5, 0, 7, 0, 0, 3, 11, 0, 0, 0, 1];

let dir = '';
let cache = '';
let files = { imagePath: '', labelPath: '', name: 'case' };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prepared-'));
  cache = join(dir, 'cache');
  files = { imagePath: join(dir, 'ct.nii.gz'), labelPath: join(dir, 'labels.nii.gz'), name: 'case' };
  const voxels = Int16Array.from({ length: 960 }, (_, at) => ((at * 7919) % 1400) - 1100);
  await writeVolume(files.imagePath, { voxels, size, affine });
  await writeVolume(files.labelPath, { voxels: Uint8Array.from(voxels, (v) => (v > -300 ? 1 : 0)), size, affine });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Without what tells the ways to the same scan apart. */
function content({ source: _source, ...scan }: CachedScan): unknown {
  return scan;
}

describe('prepareCached', () => {
  it('prepares once, then reads the same scan back', async () => {
    const stages: string[] = [];
    const onProgress = ({ stage }: PrepareProgress): void => void stages.push(stage);
    const first = await prepareCached(cache, files, config, { onProgress });
    const second = await prepareCached(cache, files, config, { onProgress });
    expect([first.source, second.source]).toEqual(['new', 'hit']);
    expect(content(second)).toEqual(content(first));
    expect(stages).toEqual(['hash', 'read', 'prepare', 'write', 'hash', 'read-cache']);
    const opened = await openPrepared(cache, first.key);
    expect(opened.image).toEqual(first.image);
    expect(opened.labels).toEqual(first.labels);
    expect((await readdir(cache)).sort()).toEqual(
      ['image.f32', 'json', 'labels.u8'].map((ending) => `${first.key}.${ending}`),
    );
  });

  it('keeps a case for every mapping of its labels', async () => {
    const plain = await prepareCached(cache, files, config);
    const tumour = { ...config, labels: { 1: null, 2: msdClasses[1].name } };
    const mapped = await prepareCached(cache, files, tumour);
    expect([mapped.source, mapped.key === plain.key]).toEqual(['new', false]);
    expect(plain.labels?.some((value) => value === 1)).toBe(true);
    expect(mapped.labels?.every((value) => value === 0)).toBe(true);
    expect((await prepareCached(cache, files, tumour)).source).toBe('hit');
    // What a value means already is no mapping.
    const same = await prepareCached(cache, files, { ...config, labels: { 1: msdClasses[1].name } });
    expect([same.source, same.key]).toEqual(['hit', plain.key]);
  });

  it('tells no name, and is readable for its owner alone', async () => {
    const { key } = await prepareCached(cache, { ...files, name: 'Doe_Jane_4711' }, config);
    const modes: number[] = [];
    for (const file of await readdir(cache)) {
      expect(await readFile(join(cache, file), 'latin1')).not.toMatch(/Doe|4711/);
      modes.push((await stat(join(cache, file))).mode & 0o777);
    }
    expect([...modes, (await stat(cache)).mode & 0o777]).toEqual([0o600, 0o600, 0o600, 0o700]);
    // Entries of earlier versions, which have a name, are read.
    const path = join(cache, `${key}.json`);
    await writeFile(path, (await readFile(path, 'utf8')).replace('"version"', '"name": "case", "version"'));
    expect((await prepareCached(cache, files, config)).source).toBe('hit');
  });

  it('keeps a case without labels apart, and does not care for file names', async () => {
    const labelled = await prepareCached(cache, files, config);
    const bare = await prepareCached(cache, { imagePath: files.imagePath, name: 'case' }, config);
    expect(bare.key).not.toBe(labelled.key);
    expect((await prepareCached(cache, { imagePath: files.imagePath, name: 'case' }, config)).labels).toBeUndefined();
    await copyFile(files.imagePath, join(dir, 'other.nii.gz'));
    const renamed = await prepareCached(cache, { ...files, imagePath: join(dir, 'other.nii.gz'), name: 'b' }, config);
    expect([renamed.source, renamed.key]).toEqual(['hit', labelled.key]);
  });

  it('prepares again when a setting that matters or the content changes', async () => {
    const { key } = await prepareCached(cache, files, config);
    const changes: Partial<PreparationConfig>[] = [
      { intensity: 'minmax' },
      { clipHu: [-1000, 250] },
      { spacingMm: [2, 2, 2.5] },
      { classes: [...msdClasses, { value: 2, name: 'other', color: [1, 2, 3] }] },
    ];
    for (const change of changes) {
      const other = await prepareCached(cache, files, { ...config, ...change });
      expect([other.source, other.key === key], JSON.stringify(change)).toEqual(['new', false]);
    }
    const recoloured = msdClasses.map((c) => ({ ...c, color: [9, 9, 9] as const }));
    expect((await prepareCached(cache, files, { ...config, classes: recoloured })).source).toBe('hit');
    await writeVolume(files.labelPath, { voxels: new Uint8Array(960), size, affine }, { force: true });
    const edited = await prepareCached(cache, files, config);
    expect(edited.source).toBe('new');
    expect(new Set(edited.labels)).toEqual(new Set([0]));
  });

  it('rebuilds damaged entries and says why', async () => {
    const first = await prepareCached(cache, files, config);
    const path = (ending: string): string => join(cache, `${first.key}.${ending}`);
    const image = await readFile(path('image.f32'));
    const damages: [string, () => Promise<void>][] = [
      ['expected', () => truncate(path('image.f32'), 100)],
      ['checksum', () => writeFile(path('image.f32'), image.fill(1, 40, 41))],
      ['cannot be read', () => rm(path('labels.u8'))],
      ['description', () => writeFile(path('json'), '{"format": "quickcol')],
      ['description', () => writeFile(path('json'), '{"format": "quickcolumn-prepared", "version": 1}')],
    ];
    for (const [reason, damage] of damages) {
      await damage();
      await expect(openPrepared(cache, first.key)).rejects.toThrow(PreparedCacheError);
      const events: PrepareProgress[] = [];
      const again = await prepareCached(cache, files, config, { onProgress: (event) => events.push(event) });
      expect(again.source).toBe('rebuilt');
      expect(events.find((event) => event.stage === 'rebuild')?.reason).toContain(reason);
      expect(content(again)).toEqual(content(first));
      expect((await prepareCached(cache, files, config)).source).toBe('hit');
    }
  });

  it('stores nothing when the case is refused', async () => {
    const off = { voxels: new Uint8Array(960), size, affine: affine.map((v, at) => (at === 3 ? v + 1 : v)) };
    await writeVolume(files.labelPath, off, { force: true });
    const act = prepareCached(cache, files, config);
    await expect(act).rejects.toThrow(GridMismatchError);
    await expect(act).rejects.toThrow(files.labelPath);
    await expect(readdir(cache)).rejects.toThrow('ENOENT');
    await expect(openPrepared(cache, 'absent')).rejects.toThrow('missing or damaged');
  });

  it('names an unwritable cache folder', async () => {
    await writeFile(cache, 'a file where the folder should be');
    await expect(prepareCached(cache, files, config)).rejects.toMatchObject({ code: 'file-write' });
  });
});

describe('defects of the scan', () => {
  const kinds = ['value-range'] as const;
  const spoil = async (): Promise<void> => {
    // HU + 1024, as a converter leaves it that forgets the intercept.
    const voxels = Uint16Array.from({ length: 960 }, (_, at) => (at * 7919) % 2400);
    await writeVolume(files.imagePath, { voxels, size, affine }, { force: true });
  };

  it('are refused before anything is stored, and let pass where they are accepted', async () => {
    await spoil();
    await expect(prepareCached(cache, files, config)).rejects.toMatchObject({
      code: 'defect',
      message: `${files.imagePath}: values from 0 to 2399 are neither HU nor 0–255 (HU + 1024?)`,
      fields: { kinds, options: { 'accept value-range': 'use it as it is' } },
    });
    await expect(readdir(cache)).rejects.toThrow('ENOENT');
    const { notes, source } = await prepareCached(cache, files, config, { accept: kinds });
    expect([source, notes]).toEqual(['new', ['values from 0 to 2399 are neither HU nor 0–255 (HU + 1024?); accepted']]);
  });

  it('are judged again when the case comes from the cache', async () => {
    await spoil();
    const first = await prepareCached(cache, files, config, { accept: kinds });
    const second = await prepareCached(cache, files, config, { accept: kinds });
    expect([second.source, second.notes]).toEqual(['hit', first.notes]);
    await expect(prepareCached(cache, files, config)).rejects.toMatchObject({ code: 'defect' });
  });

  it('make an entry of an earlier version, which does not have them, be prepared again', async () => {
    const { key } = await prepareCached(cache, files, config);
    const path = join(cache, `${key}.json`);
    const { defects, assumed, ...earlier } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    expect([defects, assumed]).toEqual([[], []]);
    await writeFile(path, JSON.stringify(earlier));
    expect((await openPrepared(cache, key)).size).toEqual([9, 7, 12]);
    expect((await prepareCached(cache, files, config)).source).toBe('rebuilt');
    expect((await prepareCached(cache, files, config)).source).toBe('hit');
  });

  it('and what was assumed of its header are part of the entry', async () => {
    const bytes = gunzipSync(await readFile(files.imagePath));
    // qform_code and sform_code.
    bytes.writeInt32LE(0, 252);
    await writeFile(files.imagePath, gzipSync(bytes));
    const bare = { imagePath: files.imagePath, name: 'case' };
    await expect(prepareCached(cache, bare, config)).rejects.toMatchObject({ field: 'qform_code, sform_code' });
    const as = (orientation: string): Promise<CachedScan> =>
      prepareCached(cache, bare, config, { assume: { orientation } });
    const [lps, ras] = [await as('LPS'), await as('RAS')];
    expect(lps.notes).toEqual(['its header gives no orientation; assumed LPS']);
    expect(ras.key).not.toBe(lps.key);
    expect((await as('LPS')).notes).toEqual(lps.notes);
  });
});
