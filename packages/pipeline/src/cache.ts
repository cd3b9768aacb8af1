/**
 * Prepared cases on disk, so that a case is prepared once and not once per epoch, run or process.
 *
 * KEY.json names two raw little-endian files, KEY.image.f32 and KEY.labels.u8, with their checksums. The key is a hash
 * of the files' content and of the configuration: a changed scan, label or setting is another entry, a renamed file is
 * not. Every file is written atomically and the JSON last, so an entry without JSON does not exist; an entry that does
 * not match its checksums is prepared again. Scans are patients': files and folder are readable for their owner alone, and
 * no entry tells a name.
 */
import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Defect, type DefectKind, defectKinds, judge, scanDefects } from '@quickcolumn/defects';
import {
  FileError,
  type HeaderAssumptions,
  hashFile,
  makeFolder,
  readLabels,
  readVolume,
  volumeFiles,
  writeFileAtomic,
} from '@quickcolumn/io';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Affine, type Size3, voxelCount } from '@quickcolumn/volume';
import { z } from 'zod';
import type { PreparationConfig } from './config.js';
import { mappedValues } from './label-map.js';
import { type PreparedScan, prepareScan, type Undo } from './prepare.js';

/** Files of one case. */
export interface CaseFiles {
  readonly imagePath: string;
  readonly labelPath?: string;
  /** For progress and errors; not part of the key. */
  readonly name: string;
  /** Where the caller knows it: `preparedKey` of these files. */
  readonly key?: string;
}

export interface PrepareCachedOptions {
  /** Defects of scans that are let pass. */
  readonly accept?: readonly DefectKind[];
  /** What is known of files whose headers do not say it. */
  readonly assume?: HeaderAssumptions;
  readonly onProgress?: (event: PrepareProgress) => void;
}

/** A prepared scan and where it is kept. */
export interface CachedScan extends PreparedScan {
  readonly key: string;
  /** What was assumed, noted and accepted, for people. */
  readonly notes: readonly string[];
  /** `hit`: read from the cache; `new`: prepared now; `rebuilt`: prepared now because the entry was damaged. */
  readonly source: 'hit' | 'new' | 'rebuilt';
}

/** What prepareCached is about to do; `reason` says what was wrong with a damaged entry. */
export interface PrepareProgress {
  readonly name: string;
  readonly stage: 'hash' | 'read-cache' | 'rebuild' | 'read' | 'prepare' | 'write';
  readonly reason?: string;
}

/** An entry that is missing, incomplete or damaged; code `prepared-cache`, fields {cacheDir, key}. */
export class PreparedCacheError extends QuickcolumnError {
  constructor(cacheDir: string, key: string, problem: string, cause?: unknown) {
    super(
      'prepared-cache',
      `prepared case ${key} in ${cacheDir}: ${problem}; run prepare again`,
      { cacheDir, key },
      { cause },
    );
  }
}

/** Part of every key: raise it when preparation gives other numbers, and old entries are left behind. */
const preparationVersion = 1;

const whole = z.int().positive();
const size3 = z.tuple([whole, whole, whole]);
const affineSchema = z.array(z.number()).length(16);
const sha256 = z.string().length(64);
const entrySchema = z.strictObject({
  format: z.literal('quickcolumn-prepared'),
  version: z.literal(preparationVersion),
  /** Entries of earlier versions have it; whose scan it is belongs into no cache. */
  name: z.string().optional(),
  size: size3,
  affine: affineSchema,
  airValue: z.number(),
  undo: z.strictObject({ originalSize: size3, originalAffine: affineSchema, reorientedSize: size3 }),
  scale: z.enum(['hu', '0-255']),
  mean: z.number(),
  sd: z.number(),
  // Entries of earlier versions have neither: their scans were not judged.
  defects: z.array(z.strictObject({ kind: z.enum(defectKinds), message: z.string() })).optional(),
  assumed: z.array(z.string()).optional(),
  imageSha256: sha256,
  labelsSha256: sha256.optional(),
});
type Entry = z.infer<typeof entrySchema>;

/**
 * The prepared case from the cache, or prepared now and put there. Makes `cacheDir` if needed. The defects of its scan are
 * kept with it, so that it is judged each time, by what is accepted then.
 * @throws what reading the files and prepareScan throw, DefectError for a scan that is refused; FileError for an unwritable
 *   cache. Nothing is stored then.
 */
export async function prepareCached(
  cacheDir: string,
  files: CaseFiles,
  config: PreparationConfig,
  { accept, assume = {}, onProgress }: PrepareCachedOptions = {},
): Promise<CachedScan> {
  const { name, imagePath, labelPath } = files;
  onProgress?.({ name, stage: 'hash' });
  const key = files.key ?? (await preparedKey(files, config, assume));
  let source: CachedScan['source'] = 'new';
  if (await exists(pathsOf(cacheDir, key).entry)) {
    onProgress?.({ name, stage: 'read-cache' });
    try {
      const { scan, defects, assumed } = await openEntry(cacheDir, key);
      if (defects !== undefined) {
        const notes = [...(assumed ?? []), ...judge(imagePath, defects, accept)];
        return { ...scan, notes, key, source: 'hit' };
      }
      source = 'rebuilt';
    } catch (error) {
      if (!(error instanceof PreparedCacheError)) throw error;
      source = 'rebuilt';
      onProgress?.({ name, stage: 'rebuild', reason: error.message });
    }
  }
  onProgress?.({ name, stage: 'read' });
  const { notes: assumed, ...image } = await readVolume(imagePath, { assume });
  const labels = labelPath === undefined ? undefined : await readLabels(labelPath, { assume });
  const defects = scanDefects(image);
  const notes = [...assumed, ...judge(imagePath, defects, accept)];
  onProgress?.({ name, stage: 'prepare' });
  const prepared = prepareScan(image, config, { labels, name: imagePath, labelName: labelPath });
  onProgress?.({ name, stage: 'write' });
  await store(cacheDir, key, prepared, { defects, assumed });
  return { ...prepared, notes, key, source };
}

/** Key of a case: 32 hex digits from the content of its files and the configuration. Throws FileError. */
export async function preparedKey(
  files: CaseFiles,
  config: PreparationConfig,
  assume: HeaderAssumptions = {},
): Promise<string> {
  const parts = [preparationVersion, await contentHash(files.imagePath)];
  parts.push(files.labelPath === undefined ? 'no labels' : await contentHash(files.labelPath));
  // Field by field, because the order of keys in a user's file means nothing; names and colours change no number.
  const { intensity, clipHu, spacingMm, classes, ignoreLabel } = config;
  const ignored = ignoreLabel === undefined ? [] : [ignoreLabel];
  parts.push(JSON.stringify([intensity, clipHu, spacingMm, classes.map(({ value }) => value), ...ignored]));
  // Nothing mapped adds nothing, nor does a value that is mapped to itself.
  const mapped = mappedValues(config);
  if (mapped.length > 0) parts.push(JSON.stringify({ labels: mapped }));
  // Nothing assumed adds nothing: keys of earlier versions stay.
  const { orientation, units } = assume;
  if (orientation !== undefined || units !== undefined) parts.push(JSON.stringify({ orientation, units }));
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

/**
 * Reads one entry, e.g. in a training worker that was told the key.
 * @throws PreparedCacheError when it is missing or damaged
 */
export async function openPrepared(cacheDir: string, key: string): Promise<PreparedScan> {
  return (await openEntry(cacheDir, key)).scan;
}

interface OpenedEntry extends Pick<Entry, 'defects' | 'assumed'> {
  readonly scan: PreparedScan;
}

async function openEntry(cacheDir: string, key: string): Promise<OpenedEntry> {
  const paths = pathsOf(cacheDir, key);
  const damaged = (problem: string, cause?: unknown): PreparedCacheError =>
    new PreparedCacheError(cacheDir, key, problem, cause);
  let entry: Entry;
  try {
    entry = entrySchema.parse(JSON.parse(await readFile(paths.entry, 'utf8')));
  } catch (cause) {
    throw damaged('its description is missing or damaged', cause);
  }
  const read = async (path: string, expectedSha256: string, bytes: number): Promise<ArrayBuffer> => {
    const data = await readFile(path).catch((cause: unknown) => {
      throw damaged(`${path} cannot be read`, cause);
    });
    if (data.length !== bytes) throw damaged(`${path} has ${data.length} bytes, expected ${bytes}`);
    if (digest(data) !== expectedSha256) throw damaged(`${path} does not match its checksum`);
    const ownsBuffer = data.byteOffset === 0 && data.buffer.byteLength === data.length;
    // Small files come as a slice of Node's pool, at offsets that Float32Array cannot view.
    return ownsBuffer && data.buffer instanceof ArrayBuffer ? data.buffer : Uint8Array.from(data).buffer;
  };
  const {
    format: _format,
    version: _version,
    name: _name,
    imageSha256,
    labelsSha256,
    defects,
    assumed,
    ...facts
  } = entry;
  const size: Size3 = facts.size;
  const affine: Affine = facts.affine;
  const undo: Undo = facts.undo;
  const voxels = voxelCount(size);
  const image = new Float32Array(await read(paths.image, imageSha256, 4 * voxels));
  const scan = { ...facts, size, affine, undo, image };
  if (labelsSha256 === undefined) return { scan, defects, assumed };
  const labels = new Uint8Array(await read(paths.labels, labelsSha256, voxels));
  return { scan: { ...scan, labels }, defects, assumed };
}

async function store(
  cacheDir: string,
  key: string,
  prepared: PreparedScan,
  about: { readonly defects: readonly Defect[]; readonly assumed: readonly string[] },
): Promise<void> {
  const { image, labels, ...facts } = prepared;
  const paths = pathsOf(cacheDir, key);
  const imageBytes = new Uint8Array(image.buffer, image.byteOffset, image.byteLength);
  const ours = { private: true };
  await makeFolder(cacheDir, ours).catch((cause: unknown) => {
    throw new FileError(cacheDir, 'write', cause);
  });
  await writeFileAtomic(paths.image, imageBytes, ours);
  if (labels) await writeFileAtomic(paths.labels, labels, ours);
  const entry = {
    format: 'quickcolumn-prepared',
    version: preparationVersion,
    ...about,
    ...facts,
    imageSha256: digest(imageBytes),
    ...(labels && { labelsSha256: digest(labels) }),
  };
  await writeFileAtomic(paths.entry, `${JSON.stringify(entry, undefined, 1)}\n`, ours);
}

function pathsOf(cacheDir: string, key: string): { entry: string; image: string; labels: string } {
  const base = join(cacheDir, key);
  return { entry: `${base}.json`, image: `${base}.image.f32`, labels: `${base}.labels.u8` };
}

/** Of every file that a volume is made of: the header of a pair, or of detached data, says little about its voxels. */
async function contentHash(path: string): Promise<string> {
  const hashes: string[] = [];
  for (const file of await volumeFiles(path)) hashes.push(await hashFile(file));
  return hashes.join('+');
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
