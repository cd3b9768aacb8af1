/**
 * A series of slices as one volume in Hounsfield units, with what later objects must refer to.
 *
 * Each slice has its own rescale (PS3.3, C.11.1). Pixels that the file declares as padding never count as tissue: they
 * become air, −1024 HU, where they are above it, and keep their value where they are below, as converters to NIfTI
 * leave them (so a scan gives the same mask by either way). The voxels are int16 where all rescaled values are whole
 * numbers that fit, else float32.
 */
import { type Volume, voxelCount } from '@quickcolumn/volume';
import { DicomError, throwIfAborted } from '../dicom-error.js';
import { dicomLimits } from '../limits.js';
import { type DicomSeries, judgeSeries } from './list-series.js';
import { newFindings, type Findings } from './checks/findings.js';
import { watchRescale } from './checks/odd-rescale.js';
import { rescaleOf } from './checks/rescale.js';
import { fileNames } from './short-lists.js';
import { decodeFrame, type StoredValues } from '../codecs/pixels.js';
import { type DicomFile, readFile } from '../data-set/read-file.js';
import { repairOptions, type SeriesRepair } from './repair.js';
import { shiftPlane } from './shift-plane.js';
import type { SliceHeader } from './slice-header.js';
import type { DicomSource } from '../sources/dicom-source.js';
import type { PlaneSource, StackPlan } from './stack.js';

/** An image that a plane of the volume shows. */
export interface SourceImage {
  readonly classUid: string;
  readonly instanceUid: string;
  /** Frame from 1 for a multi-frame image; absent for others. */
  readonly frame?: number;
}

/** The images that one plane of the volume was made of. */
export interface PlaneImages {
  /** One, or the two that an interpolated plane lies between. */
  readonly images: readonly SourceImage[];
  /** The plane is that image, pixel on pixel; false where it was interpolated or shifted. */
  readonly exact: boolean;
}

export interface DicomVolume {
  /** HU; RAS affine; planes from the first along the image plane's normal (for axial images: upwards). */
  readonly volume: Volume<Int16Array | Float32Array>;
  /** One entry for each plane. */
  readonly sources: readonly PlaneImages[];
  /** Every image of the series. */
  readonly images: readonly SourceImage[];
  /** Some of its images were compressed with loss. */
  readonly lossy: boolean;
  readonly seriesUid: string;
  readonly studyUid: string;
  readonly frameOfReferenceUid: string;
  /** A file of the series, to take patient and study from when an object is written. */
  readonly firstSource: DicomSource;
  /** Assumptions and repairs, for people; without patient data. */
  readonly notes: readonly string[];
}

export interface ReadSeriesOptions {
  readonly repair?: SeriesRepair;
  readonly anyModality?: boolean;
  /** HU of padding: `air` (default, see above), `keep` for the rescaled value as it is, or a number. */
  readonly padding?: 'air' | 'keep' | number;
  /** Largest volume, at four bytes a voxel; default: what `dicomLimits.voxels` allow. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { done: number; total: number }) => void;
}

/** HU of air, and of padding. */
const airHu = -1024;

/**
 * Reads a series. Throws DicomError with the first of its problems as reason, all of them in the message; `damaged` names
 * every slice whose pixels cannot be decoded.
 */
export async function readSeries(series: DicomSeries, options: ReadSeriesOptions = {}): Promise<DicomVolume> {
  const { repair, anyModality, maxBytes = 4 * dicomLimits.voxels } = options;
  const { plan, problems, notes } = judgeSeries(series, { repair, anyModality });
  const name = `series ${series.seriesUid || 'without UID'}`;
  if (problems.length > 0 || plan === undefined) {
    const text = problems.map(({ message }) => message).join('; ');
    throw new DicomError(name, problems[0]?.kind ?? 'geometry', text === '' ? 'cannot be stacked' : text, {
      options: repairOptions(problems),
    });
  }
  if (4 * voxelCount(plan.size) > maxBytes) {
    throw new DicomError(name, 'limit', `${plan.size.join('×')} voxels; at most ${maxBytes} bytes are allowed`);
  }
  const reader = frameReader(name, plan, options);
  const found = newFindings();
  let voxels: Int16Array | Float32Array;
  try {
    voxels = await fillPlanes(plan, reader, { ...options, name, found });
  } catch (error) {
    if (reader.undecoded.size === 0) throw error;
    return await readSeries(await withoutUndecoded(series, reader, error), options);
  }
  const sources = plan.planes.map((plane): PlaneImages => {
    if (plane.kind === 'slice') return { images: [imageOf(plane.slice)], exact: plan.shifts === undefined };
    return { images: [imageOf(plane.a), imageOf(plane.b)], exact: false };
  });
  const { seriesUid, studyUid, frameOfReferenceUid } = series;
  const padded = reader.paddedInTissue();
  if (padded > 0) found.notes.push(`${padded} padding pixels with tissue's values were set to air`);
  return {
    volume: { voxels, size: plan.size, affine: plan.affine },
    sources,
    images: series.slices.map(imageOf),
    lossy: series.slices.some(({ syntax }) => syntax.lossy),
    seriesUid,
    studyUid,
    frameOfReferenceUid,
    firstSource: series.slices[0].source,
    notes: [...notes, ...reader.notes, ...found.notes],
  };
}

/**
 * The series with those slices among the damaged files whose pixels cannot be decoded: after the first, all are tried.
 * @throws the error of decoding when there is no slice that can be decoded: then it is not damage but the format
 */
async function withoutUndecoded(series: DicomSeries, reader: FrameReader, error: unknown): Promise<DicomSeries> {
  for (const slice of series.slices) await reader.stored(slice).catch(() => undefined);
  const slices = series.slices.filter(({ source }) => !reader.undecoded.has(source));
  if (slices.length === 0) throw error;
  const damaged = [...reader.undecoded].map(([source, cause]) => ({ source, error: cause }));
  return { ...series, slices, damaged: [...series.damaged, ...damaged] };
}

function imageOf({ classUid, instanceUid, format, frame }: SliceHeader): SourceImage {
  return { classUid, instanceUid, ...(format.frames > 1 ? { frame: frame + 1 } : {}) };
}

type Hu = Int32Array | Float32Array;

interface FrameReader {
  /** HU of one slice, row by row. */
  read(slice: SliceHeader): Promise<Hu>;
  /** Values as stored, for comparison. */
  stored(slice: SliceHeader): Promise<StoredValues>;
  paddedInTissue(): number;
  /** Files whose pixels could not be decoded. */
  readonly undecoded: ReadonlyMap<DicomSource, DicomError>;
  /** What decoders had to put right, each once. */
  readonly notes: ReadonlySet<string>;
}

/** Decodes frames; keeps the last file, because frames of one file follow each other. */
function frameReader(name: string, plan: StackPlan, { padding = 'air' }: ReadSeriesOptions): FrameReader {
  let last: DicomFile | undefined;
  let padded = 0;
  const all = plan.planes.flatMap(imagesOf);
  const whole = all.every(isWhole);
  const undecoded = new Map<DicomSource, DicomError>();
  const notes = new Set<string>();

  const decode = async (slice: SliceHeader): Promise<StoredValues> => {
    if (last?.source !== slice.source) last = await readFile(slice.source);
    const values = await decodeFrame(last, slice.format, slice.frame, (text) => notes.add(text));
    const expected = slice.format.rows * slice.format.columns;
    if (values.length !== expected) {
      throw new DicomError(slice.source.name, 'pixels', `${values.length} pixels; the header says ${expected}`);
    }
    return values;
  };
  const stored = async (slice: SliceHeader): Promise<StoredValues> => {
    try {
      return await decode(slice);
    } catch (error) {
      if (error instanceof DicomError) undecoded.set(slice.source, error);
      throw error;
    }
  };

  return {
    stored,
    undecoded,
    notes,
    paddedInTissue: () => padded,
    read: async (slice) => {
      const values = await stored(slice);
      const { slope, intercept } = rescaleOf(slice);
      const hu = whole ? new Int32Array(values.length) : new Float32Array(values.length);
      for (let i = 0; i < values.length; i++) hu[i] = values[i] * slope + intercept;
      const range = slice.format.padding;
      if (range === undefined || padding === 'keep') return hu;
      for (let i = 0; i < values.length; i++) {
        if (values[i] < range[0] || values[i] > range[1]) continue;
        // Zero as padding in signed HU images would be water; people should know.
        if (hu[i] > -500) padded++;
        hu[i] = padding === 'air' ? Math.min(hu[i], airHu) : padding;
      }
      return hu;
    },
  };

  function isWhole(slice: SliceHeader): boolean {
    const { slope, intercept } = rescaleOf(slice);
    const largest = Math.abs(slope) * 2 ** slice.format.bitsStored + Math.abs(intercept);
    if (!(largest < 2 ** 100)) throw new DicomError(name, 'pixels', `rescale slope ${slope} cannot be meant`);
    return Number.isInteger(slope) && Number.isInteger(intercept) && largest < 2 ** 31;
  }
}

async function fillPlanes(
  plan: StackPlan,
  reader: FrameReader,
  options: ReadSeriesOptions & { readonly name: string; readonly found: Findings },
): Promise<Int16Array | Float32Array> {
  const { size, planes, shifts } = plan;
  const { name } = options;
  const rescales = watchRescale(plan);
  const planeVoxels = size[0] * size[1];
  // Whole numbers as int16 where they fit, as nearly all CTs do; the first that does not makes it float32. Allocated
  // when the first plane is there: before that, the size is only a promise.
  let voxels: Int16Array | Float32Array | undefined;
  for (const [k, plane] of planes.entries()) {
    throwIfAborted(options.signal);
    options.onProgress?.({ done: k, total: planes.length });
    if (plan.compareDuplicates && plane.kind === 'slice') await compare(plane, reader);
    const hu = await planeHu(plane, reader);
    if (plane.kind === 'slice') rescales?.add(plane.slice, hu);
    const shifted =
      shifts === undefined ? hu : shiftPlane(hu, formatOf(plane), { size, shift: shifts[k], outside: airHu });
    voxels ??= new Int16Array(planeVoxels * planes.length);
    if (voxels instanceof Int16Array && !fitsInt16(shifted)) voxels = Float32Array.from(voxels);
    voxels.set(shifted, k * planeVoxels);
  }
  const misfits = rescales?.misfits() ?? [];
  if (misfits.length > 0) {
    const text = `with the rescale of the other slices these would fit them, with their own they do not: ${fileNames(misfits)}`;
    throw new DicomError(name, 'mixed-rescale', text);
  }
  return voxels ?? new Int16Array(0);
}

function fitsInt16(hu: Hu): boolean {
  if (hu instanceof Float32Array) return false;
  for (let i = 0; i < hu.length; i++) if (hu[i] > 32_767 || hu[i] < -32_768) return false;
  return true;
}

async function planeHu(plane: PlaneSource, reader: FrameReader): Promise<Hu> {
  if (plane.kind === 'slice') return await reader.read(plane.slice);
  const [a, b] = [await reader.read(plane.a), await reader.read(plane.b)];
  const mixed = emptyLike(a, a.length);
  const isWhole = mixed instanceof Int32Array;
  for (let i = 0; i < a.length; i++) {
    const value = a[i] * (1 - plane.weight) + b[i] * plane.weight;
    mixed[i] = isWhole ? Math.round(value) : value;
  }
  return mixed;
}

async function compare(plane: PlaneSource & { kind: 'slice' }, reader: FrameReader): Promise<void> {
  if (plane.others.length === 0) return;
  const first = await reader.stored(plane.slice);
  for (const other of plane.others) {
    const values = await reader.stored(other);
    const rescaled = JSON.stringify(other.rescale) === JSON.stringify(plane.slice.rescale);
    if (rescaled && values.every((value, i) => value === first[i])) continue;
    throw new DicomError(
      other.source.name,
      'duplicates',
      `lies at the same place as ${plane.slice.source.name} but its pixels differ; choose one series or acquisition`,
    );
  }
}

function imagesOf(plane: PlaneSource): SliceHeader[] {
  return plane.kind === 'slice' ? [plane.slice] : [plane.a, plane.b];
}

function formatOf(plane: PlaneSource): SliceHeader['format'] {
  return plane.kind === 'slice' ? plane.slice.format : plane.a.format;
}

function emptyLike(like: Hu, length: number): Hu {
  return like instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}
