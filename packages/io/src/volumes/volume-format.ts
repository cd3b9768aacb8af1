/**
 * What a volume format is. Each has a folder of its own that exports one such object; `format-list.ts` names them all, and
 * everything else (names of files, reading, writing, keys of caches, what browsers take) follows from there.
 *
 * A format keeps what of a header must survive from a scan to its mask (how the place is written, units) in properties that
 * only it understands. Everybody else hands them on without looking inside.
 */
import type { QuickcolumnError } from '@quickcolumn/errors';
import type { Size3, Volume } from '@quickcolumn/volume';
import type { FileStore } from '../files/byte-source.js';
import type { ReadWatch } from '../files/watched-store.js';
import type { HeaderAssumptions } from '../headers/assumptions.js';

/** Options of all readers. */
export interface VolumeReadOptions extends ReadWatch {
  /** Refuse images whose voxels need more bytes than this (default 8 GiB). */
  readonly maxBytes?: number;
  /** What the user knows where headers are silent; they are refused without. */
  readonly assume?: HeaderAssumptions;
}

declare const opaque: unique symbol;

/**
 * What of a scan's header a mask on the same grid is written with, in the scan's format: hand it to `like`. Plain data that
 * workers and JSON carry; what is inside is the format's own business.
 */
export interface FormatProperties {
  readonly [opaque]: true;
}

/** What a file tells before its voxels are read. */
export interface VolumeSummary {
  readonly size: Size3;
  /** The line of plain text that the format has a place for. */
  readonly description?: string;
}

/** Options of a format's writer. */
export interface VolumeEncodeOptions<Properties = FormatProperties> {
  /** Of the scan whose grid the volume shares. Properties of another format change nothing: the affine says it all. */
  readonly like?: Properties;
  /** A line of plain text where the format has a place for it; the scan's by default. */
  readonly description?: string;
}

/** A file to be written. Whoever writes it compresses: with streams on disk and in browsers. */
export interface EncodedVolume {
  /**
   * The bytes before the voxels. `voxelBytes` is what the voxels take in the file, which is known only after they were
   * compressed; the header must be as long whatever it is.
   */
  readonly header: (voxelBytes: number) => Uint8Array<ArrayBuffer>;
  /** A view of the volume's own memory. */
  readonly voxels: Uint8Array<ArrayBuffer>;
  /** Whether the file as a whole is compressed, or its voxels behind a plain header. `deflate` is a zlib stream. */
  readonly compression?: { readonly of: 'file' | 'voxels'; readonly as: 'gzip' | 'deflate' };
}

/** What a format reads. */
export interface ReadFile<Properties> {
  readonly volume: Volume;
  readonly properties: Properties;
  /** What was assumed, for people; absent for formats whose headers say all. */
  readonly notes?: readonly string[];
}

/** One format, as its folder defines it. */
export interface VolumeFormatDefinition<Name extends string, Properties> {
  /** What it is called in options and results. */
  readonly name: Name;
  /** What people call it. */
  readonly title: string;
  /** How names end that stand for a whole volume: lower case with the dot, the usual one first. */
  readonly extensions: readonly string[];
  /** How names end that may be given too, but are only a part beside one of `extensions`. */
  readonly partExtensions?: readonly string[];
  /** Those of `extensions` that can be written; the first is what results get. */
  readonly writtenExtensions: readonly [string, ...string[]];
  /** Throws `refuse`'s errors, before anything large is allocated. */
  read(store: FileStore, path: string, options: VolumeReadOptions): Promise<ReadFile<Properties>>;
  /** Reads the header alone. Throws as `read` does. */
  summarize(store: FileStore, path: string, assume: HeaderAssumptions | undefined): Promise<VolumeSummary>;
  /** The files beside the named one that its volume is made of. They are part of the cache's key. */
  otherFiles(store: FileStore, path: string): Promise<string[]>;
  /** Throws `refuse`'s errors when the format cannot hold the volume. `path` ends in one of `writtenExtensions`. */
  encode(volume: Volume, path: string, options: VolumeEncodeOptions<Properties>): EncodedVolume;
  /** The format's own error: file, the part of it that is wrong, and what is wrong. */
  refuse(path: string, field: string, problem: string): QuickcolumnError;
}

/** One format, as everybody else sees it. */
export type VolumeFormat<Name extends string = string> = VolumeFormatDefinition<Name, FormatProperties>;

interface Sealed {
  readonly format: string;
  readonly values: unknown;
}

/** Seals the properties of a format: they open for that format only. */
export function defineVolumeFormat<Name extends string, Properties>(
  format: VolumeFormatDefinition<Name, Properties>,
): VolumeFormat<Name> {
  const seal = (values: Properties): FormatProperties => {
    const sealed: Sealed = { format: format.name, values };
    return sealed as unknown as FormatProperties;
  };
  const open = (properties: FormatProperties | undefined): Properties | undefined => {
    const sealed = properties as unknown as Sealed | undefined;
    return sealed?.format === format.name ? (sealed.values as Properties) : undefined;
  };
  return {
    ...format,
    async read(store, path, options) {
      const { properties, ...rest } = await format.read(store, path, options);
      return { ...rest, properties: seal(properties) };
    },
    encode: (volume, path, { like, description }) => format.encode(volume, path, { like: open(like), description }),
  };
}
