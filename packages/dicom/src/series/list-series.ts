/**
 * What is in a pile of files: the DICOM series among them, and whether each can become a volume. Only headers are read,
 * and nothing of a patient is kept.
 */
import { checkPixelLength } from '../codecs/pixels.js';
import { DicomError, throwIfAborted } from '../dicom-error.js';
import { looksLikeDicom, readHeader } from '../data-set/read-file.js';
import { type Findings, newFindings, type SeriesProblem } from './checks/findings.js';
import {
  type DamagedFile,
  damagedFile,
  damagedOthers,
  isImageClass,
  type OtherFile,
  sortDamaged,
} from './damaged-files.js';
import { checkIdentity, groupSlices, type SliceGroup } from './group-slices.js';
import type { SeriesRepair } from './repair.js';
import { shorten } from './short-lists.js';
import { type SliceHeader, sliceHeaders } from './slice-header.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { planStack, type StackPlan } from './stack.js';
import { type DataSet, text } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';
import { basename } from 'node:path';

export interface DicomSeries {
  /** Tells it from the others, and is the same in every listing of one process. Not its UID: several may share one. */
  readonly key: string;
  readonly seriesUid: string;
  readonly studyUid: string;
  readonly frameOfReferenceUid: string;
  readonly modality: string;
  /** Slices (frames count each), in the order they were found. */
  readonly slices: readonly SliceHeader[];
  /** Damaged files that must be counted as slices of it. */
  readonly damaged: readonly DamagedFile[];
  /** What the other files of the input say of it. */
  readonly surroundings: Pick<Findings, 'problems' | 'notes'>;
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
  /** Files that cannot be used, though they are DICOM or named like it. */
  readonly damaged: readonly DamagedFile[];
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
  const slices: SliceHeader[] = [];
  const objects: DicomObject[] = [];
  const damaged: DamagedFile[] = [];
  const others: OtherFile[] = [];
  for (const [done, source] of sources.entries()) {
    throwIfAborted(options.signal);
    options.onProgress?.({ done, total: sources.length });
    const start = await source.read(startBytes).catch((error: unknown) => notDicomError(error));
    if (start instanceof DicomError) others.push({ source, error: start });
    else if (!looksLikeDicom(start)) others.push({ source, start });
    else {
      try {
        const found = await readSlices(source);
        if (Array.isArray(found)) for (const slice of found) slices.push(slice);
        else objects.push(found);
      } catch (error) {
        damaged.push(await damagedFile(source, notDicomError(error)));
      }
    }
  }
  const further = damagedOthers(others, slices);
  for (const file of further) damaged.push(file);
  const groups = groupSlices(slices);
  const series = groups.map((group) => {
    const { lost: own, others: foreign } = sortDamaged(damaged, group.slices, slices);
    const findings = newFindings();
    checkIdentity(group, groups, findings);
    if (foreign.length > 0)
      findings.notes.push(`files that cannot be used, of other series or none: ${namesOf(foreign)}`);
    return describeSeries({ ...group, damaged: own, surroundings: findings }, options);
  });
  return { series, objects, damaged, otherFiles: others.length - further.length };
}

/** The error, if it is about a DICOM file. @throws every other error */
function notDicomError(error: unknown): DicomError {
  if (error instanceof DicomError) return error;
  throw error;
}

/** The slices of a file, or the object without slices that it is. Throws DicomError for damaged files. */
async function readSlices(source: DicomSource): Promise<SliceHeader[] | DicomObject> {
  const file = await readHeader(source);
  const { dataSet } = file;
  const object = objectOf(source, dataSet);
  if (object !== undefined) return object;
  const slices = sliceHeaders(file);
  if (slices !== undefined) {
    checkPixelLength(file, slices[0].format);
    return slices;
  }
  const described = describeObject(source, dataSet);
  const holdsNumbers = dataSet.elements.has(tags.FloatPixelData) || dataSet.elements.has(tags.DoubleFloatPixelData);
  const isImage = isImageClass(described.classUid) || (described.classUid === '' && dataSet.elements.has(tags.Rows));
  if (isImage && !holdsNumbers) throw new DicomError(source.name, 'no-pixels', 'is an image without pixel data');
  return described;
}

function namesOf(files: readonly DamagedFile[]): string {
  return shorten(files.map(({ source }) => basename(source.name)));
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

/** What a series is made of, before it is judged. */
export type SeriesParts = SliceGroup & Pick<DicomSeries, 'damaged' | 'surroundings'>;

/** Judges a series as a whole: its slices, and what was found beside them. */
export function judgeSeries(
  { slices, damaged, surroundings }: Pick<SeriesParts, 'slices' | 'damaged' | 'surroundings'>,
  { anyModality, repair }: ListOptions,
): {
  readonly plan?: StackPlan;
  readonly problems: readonly SeriesProblem[];
  readonly notes: readonly string[];
  readonly spacingMm?: readonly [number, number, number];
} {
  const findings = newFindings();
  const [{ modality }] = slices;
  if (modality !== 'CT' && anyModality !== true) {
    findings.defect('modality', `modality ${modality}; only CT has Hounsfield units`);
  }
  if (damaged.length > 0) {
    const all = damaged.length + slices.length;
    const message = `${damaged.length} of ${all} files are damaged: ${damageOf(damaged)}`;
    findings.defect('damaged', message, repair?.damaged && 'left out');
  }
  const { plan, problems, notes, spacingMm } = planStack(slices, repair);
  return {
    plan,
    problems: [...findings.problems, ...surroundings.problems, ...problems],
    notes: [...findings.notes, ...surroundings.notes, ...notes],
    spacingMm,
  };
}

/** 'IM1, IM2 (is empty); IM7 (ends inside an element)'. */
function damageOf(damaged: readonly DamagedFile[]): string {
  const kinds = new Map<string, { readonly names: string[]; readonly problems: Set<string> }>();
  for (const { source, error } of damaged) {
    // The message without the path before it; numbers differ from file to file.
    const problem = error.message.replace(`${error.path}: `, '');
    const key = problem.replace(/\d+/g, '');
    const kind = kinds.get(key) ?? { names: [], problems: new Set() };
    kind.names.push(basename(source.name));
    kind.problems.add(problem);
    kinds.set(key, kind);
  }
  const shown = [...kinds.values()].map(({ names, problems }) => {
    const [problem, ...others] = problems;
    return `${shorten(names, 12)} (${others.length === 0 ? '' : 'such as: '}${problem})`;
  });
  return shorten(shown, 6);
}

function describeSeries(parts: SeriesParts, options: ListOptions): DicomSeries {
  const [{ seriesUid, studyUid, frameOfReferenceUid, modality }] = parts.slices;
  const { plan, problems, notes, spacingMm } = judgeSeries(parts, options);
  const grid = problems.length > 0 || plan === undefined ? {} : { grid: { size: plan.size, affine: plan.affine } };
  const spacing = spacingMm === undefined ? {} : { spacingMm };
  return { ...parts, seriesUid, studyUid, frameOfReferenceUid, modality, problems, notes, ...spacing, ...grid };
}
