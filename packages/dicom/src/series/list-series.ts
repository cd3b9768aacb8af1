/**
 * What is in a pile of files: the DICOM series among them, grouped by series and frame of reference, and whether each
 * can become a volume. Only headers are read, and nothing of a patient is kept.
 */
import { DicomError, throwIfAborted } from '../dicom-error.js';
import { looksLikeDicom, readHeader } from '../data-set/read-file.js';
import type { SeriesRepair } from './repair.js';
import { type SliceHeader, sliceHeaders } from './slice-header.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { planStack, type SeriesProblem, type StackReport } from './stack.js';
import { type DataSet, text } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';

export interface DicomSeries {
  readonly seriesUid: string;
  readonly studyUid: string;
  readonly frameOfReferenceUid: string;
  readonly modality: string;
  /** Slices (frames count each), in the order they were found. */
  readonly slices: readonly SliceHeader[];
  /** Why it is unusable; empty for a series that can be read as it is. */
  readonly problems: readonly SeriesProblem[];
  readonly notes: readonly string[];
  /** Known also for unusable series where it can be; NaN for an unknown distance of slices. */
  readonly spacingMm?: readonly [number, number, number];
  /** Size and affine of the volume that a usable series makes. */
  readonly grid?: { readonly size: readonly [number, number, number]; readonly affine: readonly number[] };
}

/** A DICOM object without an image: a segmentation, a structure set, a report. */
export interface DicomObject {
  readonly source: DicomSource;
  readonly modality: string;
  readonly classUid: string;
  readonly seriesUid: string;
}

export interface DicomListing {
  readonly series: readonly DicomSeries[];
  readonly objects: readonly DicomObject[];
  /** DICOM files that cannot be used, with the error. */
  readonly damaged: readonly DicomError[];
  /** Files that are not DICOM. */
  readonly otherFiles: number;
}

export interface ListOptions {
  /** Accept other modalities than CT: their values are no HU. Default: CT only. */
  readonly anyModality?: boolean;
  /** Judge usability as if these repairs were made. */
  readonly repair?: SeriesRepair;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { done: number; total: number }) => void;
}

/** Bytes that tell DICOM from other files. */
const startBytes = 512;
const segmentationClasses = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.66(\.|$)/;
/** DICOMDIR is an index of a medium, not an image. */
const directoryClass = '1.2.840.10008.1.3.10';

/** Lists the series in the sources. Throws FileError when a file cannot be read, `interrupted` errors by the signal. */
export async function listSeries(sources: readonly DicomSource[], options: ListOptions = {}): Promise<DicomListing> {
  const groups = new Map<string, SliceHeader[]>();
  const objects: DicomObject[] = [];
  const damaged: DicomError[] = [];
  let otherFiles = 0;
  for (const [done, source] of sources.entries()) {
    throwIfAborted(options.signal);
    options.onProgress?.({ done, total: sources.length });
    try {
      if (!looksLikeDicom(await source.read(startBytes))) {
        otherFiles++;
        continue;
      }
      const file = await readHeader(source);
      const object = objectOf(source, file.dataSet);
      const slices = object === undefined ? sliceHeaders(file) : undefined;
      if (slices === undefined) {
        objects.push(object ?? describeObject(source, file.dataSet));
        continue;
      }
      for (const slice of slices) {
        const key = `${slice.seriesUid} ${slice.frameOfReferenceUid} ${slice.modality}`;
        const group = groups.get(key);
        if (group === undefined) groups.set(key, [slice]);
        else group.push(slice);
      }
    } catch (error) {
      if (!(error instanceof DicomError)) throw error;
      damaged.push(error);
    }
  }
  const series = [...groups.values()].map((slices) => describeSeries(slices, options));
  return { series, objects, damaged, otherFiles };
}

/** Segmentations have pixels but are no images to segment. */
function objectOf(source: DicomSource, dataSet: DataSet): DicomObject | undefined {
  const classUid = text(dataSet, tags.SOPClassUID) ?? '';
  const isObject = segmentationClasses.test(classUid) || classUid === directoryClass;
  return isObject ? describeObject(source, dataSet) : undefined;
}

function describeObject(source: DicomSource, dataSet: DataSet): DicomObject {
  return {
    source,
    modality: text(dataSet, tags.Modality) ?? '?',
    classUid: text(dataSet, tags.SOPClassUID) ?? '',
    seriesUid: text(dataSet, tags.SeriesInstanceUID) ?? '',
  };
}

/** One series of slices that belong together. */
export function describeSeries(slices: readonly SliceHeader[], options: ListOptions = {}): DicomSeries {
  const [{ seriesUid, studyUid, frameOfReferenceUid, modality }] = slices;
  const report: StackReport = planStack(slices, options.repair);
  const problems = [...report.problems];
  if (modality !== 'CT' && options.anyModality !== true) {
    problems.unshift({ kind: 'modality', message: `modality ${modality}; only CT has Hounsfield units` });
  }
  const { plan, notes, spacingMm } = report;
  const grid = plan === undefined ? {} : { grid: { size: plan.size, affine: plan.affine } };
  const spacing = spacingMm === undefined ? {} : { spacingMm };
  return { seriesUid, studyUid, frameOfReferenceUid, modality, slices, problems, notes, ...spacing, ...grid };
}
