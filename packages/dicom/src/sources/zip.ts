/**
 * Zip archives as sources of DICOM files (yauzl): entries are listed from the central directory and inflated as far as
 * they are asked for. Encrypted entries, other compressions than deflate, names that are absolute or hold '..' and
 * entries larger than the limit are refused; nothing is written to disk.
 */
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, open, type ZipFile } from 'yauzl';
import { DicomError } from '../dicom-error.js';
import { dicomLimits } from '../limits.js';
import type { DicomSource } from './dicom-source.js';

export interface Archive {
  readonly sources: readonly DicomSource[];
  close(): void;
}

/** Lists an archive. Throws DicomError `archive` or `limit`; the caller closes what it gets. */
export async function openArchive(path: string): Promise<Archive> {
  const zip = await new Promise<ZipFile>((done, fail) => {
    open(path, { lazyEntries: true, autoClose: false, strictFileNames: false }, (error, file) => {
      if (error === null) done(file);
      else fail(archiveError(path, error));
    });
  });
  try {
    return { sources: await listEntries(path, zip), close: () => zip.close() };
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function listEntries(path: string, zip: ZipFile): Promise<DicomSource[]> {
  if (zip.entryCount > dicomLimits.files) {
    throw new DicomError(path, 'limit', `promises ${zip.entryCount} entries; at most ${dicomLimits.files} are read`);
  }
  return await new Promise((done, fail) => {
    const sources: DicomSource[] = [];
    const ranges: EntryRange[] = [];
    zip.on('error', (error: Error) => fail(archiveError(path, error)));
    zip.on('end', () => {
      if (overlap(ranges, zip.fileSize)) {
        fail(new DicomError(path, 'archive', 'its entries overlap or promise more than the archive holds; refused'));
      } else done(sources);
    });
    zip.on('entry', (entry: Entry) => {
      const start = entry.relativeOffsetOfLocalHeader;
      ranges.push({ start, end: start + localHeaderBytes + entry.fileNameLength + entry.compressedSize });
      const isFolder = entry.fileName.endsWith('/');
      const isLeftover = /(^|\/)(\.|__MACOSX\/)/.test(entry.fileName);
      if (!isFolder && !isLeftover) sources.push(entrySource(path, zip, entry));
      if (sources.length > dicomLimits.files) {
        fail(new DicomError(path, 'limit', `holds more than ${dicomLimits.files} entries`));
      } else zip.readEntry();
    });
    zip.readEntry();
  });
}

/** Bytes of an archive that belong to one entry, at least. */
interface EntryRange {
  readonly start: number;
  readonly end: number;
}

/** Bytes of a local file header before the name (APPNOTE, 4.3.7). */
const localHeaderBytes = 30;

/** Entries that share their bytes: how a small archive unpacks to petabytes (D. Fifield, WOOT 2019). */
function overlap(ranges: EntryRange[], archiveBytes: number): boolean {
  ranges.sort((a, b) => a.start - b.start);
  return ranges.some(({ end }, i) => end > (ranges[i + 1]?.start ?? archiveBytes));
}

function entrySource(path: string, zip: ZipFile, entry: Entry): DicomSource {
  const name = `${path}/${entry.fileName}`;
  const bytes = entry.uncompressedSize;
  return {
    name,
    bytes,
    read: async (limit = bytes) => {
      const wanted = Math.min(bytes, limit);
      if (wanted > dicomLimits.fileBytes) throw new DicomError(name, 'limit', `promises ${bytes} bytes; at most 2 GiB`);
      if (entry.isEncrypted() || !entry.canDecodeFileData()) {
        throw new DicomError(name, 'archive', 'is encrypted or compressed in a way that is not read; unpack it first');
      }
      return await readEntry(name, zip, { entry, wanted });
    },
  };
}

async function readEntry(
  name: string,
  zip: ZipFile,
  { entry, wanted }: { entry: Entry; wanted: number },
): Promise<Uint8Array> {
  const stream = await new Promise<Readable>((done, fail) => {
    zip.openReadStream(entry, (error, opened) => {
      if (error === null) done(opened);
      else fail(archiveError(name, error));
    });
  });
  // Grown as data arrive: the stated size may promise what never comes.
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= wanted) break;
    }
  } catch (cause) {
    throw archiveError(name, cause);
  } finally {
    stream.destroy();
  }
  const bytes = new Uint8Array(Math.min(length, wanted));
  let at = 0;
  for (const chunk of chunks) {
    const part = chunk.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  // Damage inside a stored entry changes nothing but its pixels.
  if (wanted === entry.uncompressedSize && crc32(bytes) !== entry.crc32) {
    throw new DicomError(name, 'archive', 'its checksum is wrong; the archive is damaged');
  }
  return bytes;
}

function archiveError(path: string, cause: unknown): DicomError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new DicomError(path, 'archive', `cannot be read as a zip archive: ${problem}`, { cause });
}
