/**
 * Files that cannot be used, and which series lost a slice by them. A series with a damaged slice is not whole, however
 * well the others fit together; so a damaged file counts as a slice unless it can be told that it is none.
 */
import { basename, dirname } from 'node:path';
import { text } from '../data-set/data-set.js';
import { readBeginning } from '../data-set/read-file.js';
import { tags } from '../data-set/tags.js';
import { DicomError } from '../dicom-error.js';
import type { DicomSource } from '../sources/dicom-source.js';
import type { SliceHeader } from './slice-header.js';

/** A file that is damaged, truncated, empty or cannot be reached. */
export interface DamagedFile {
  readonly source: DicomSource;
  readonly error: DicomError;
  /** What is known of it; undefined where the damage hides it. */
  readonly seriesUid?: string;
  readonly studyUid?: string;
  readonly modality?: string;
  readonly classUid?: string;
  /** Nothing tells that it was a slice, only that it cannot be read. */
  readonly isStranger?: boolean;
}

/** A file that does not begin like DICOM. */
export interface OtherFile {
  readonly source: DicomSource;
  /** Its first bytes; undefined where they cannot be read. */
  readonly start?: Uint8Array;
  /** Why it cannot be read. */
  readonly error?: DicomError;
}

/** A damaged file with what can still be read of it. Throws FileError. */
export async function damagedFile(source: DicomSource, error: DicomError): Promise<DamagedFile> {
  const dataSet = await readBeginning(source);
  const known = (tag: number): string | undefined => {
    // Elements ascend: one that was passed and is not there does not exist.
    const wasPassed = [...dataSet.elements.keys()].some((other) => other >= tag);
    return wasPassed ? (text(dataSet, tag) ?? '') : undefined;
  };
  // The index of a medium: its elements are those of group 4, and its name is always the same (PS3.10, 8.6).
  const isIndex =
    basename(source.name).toUpperCase() === 'DICOMDIR' || [...dataSet.elements.keys()].some((tag) => tag >>> 16 === 4);
  return {
    source,
    error,
    ...(isIndex && { isStranger: true }),
    seriesUid: known(tags.SeriesInstanceUID),
    studyUid: known(tags.StudyInstanceUID),
    modality: known(tags.Modality),
    classUid: known(tags.SOPClassUID),
  };
}

const dicomExtensions = new Set(['dcm', 'dicom', 'dic', 'ima']);

/** The name of a file that was packed, or whose download has not ended, without what was added to it. */
function plainName(name: string): string {
  return basename(name).replace(/\.(gz|bz2|xz|zst|zip|part|crdownload|download|filepart)$/i, '');
}

/** 'dcm' of a.DCM; '' where the name ends otherwise, as UIDs and numbers do. */
function extensionOf(name: string): string {
  return /\.([a-z][a-z0-9]{0,7})$/i.exec(name)?.[1].toLowerCase() ?? '';
}

/** The name with its numbers left out: equal for IM0001 and IM0002. */
function shapeOf(name: string): string {
  return name.replace(/\d+/g, '#');
}

/**
 * Those of the other files that must have been slices, by a name like image.dcm or like the images beside them; and those
 * that cannot be read. Texts are slices only where their whole name is like that of an image.
 */
export function damagedOthers(others: readonly OtherFile[], slices: readonly SliceHeader[]): DamagedFile[] {
  const folders = new Map<string, { extensions: Set<string>; shapes: Set<string> }>();
  for (const { source } of slices) {
    const folder = dirname(source.name);
    const names = folders.get(folder) ?? { extensions: new Set(), shapes: new Set() };
    names.extensions.add(extensionOf(source.name));
    names.shapes.add(shapeOf(basename(source.name)));
    folders.set(folder, names);
  }
  return others.flatMap(({ source, start, error }) => {
    const name = plainName(source.name);
    const [extension, folder] = [extensionOf(name), folders.get(dirname(source.name))];
    const isImageName = dicomExtensions.has(extension) || folder?.shapes.has(shapeOf(name)) === true;
    const isPlain = name === basename(source.name);
    const mayBeImage = isPlain && folder?.extensions.has(extension) === true && (start === undefined || !isText(start));
    if (!isImageName && !mayBeImage) return error === undefined ? [] : [{ source, error, isStranger: true }];
    const empty = start?.length === 0;
    const problem = empty ? 'is empty' : "is not a DICOM file (no 'DICM' at byte 128)";
    return [{ source, error: error ?? new DicomError(source.name, empty ? 'truncated' : 'not-dicom', problem) }];
  });
}

/** Printable, as far as it was read; an empty file is no text. */
function isText(start: Uint8Array): boolean {
  return start.length > 0 && start.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

const imageClass = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(1|2|3|4|6|7|20|12|128|130|481\.1)(\.|$)/;

/** Whether a class of objects is one of images whose slices make series. */
export function isImageClass(classUid: string): boolean {
  return imageClass.test(classUid);
}

/** Sorts damaged files into those that a series of these slices lost, and those that are none of its business. */
export function sortDamaged(
  damaged: readonly DamagedFile[],
  slices: readonly SliceHeader[],
  allSlices: readonly SliceHeader[],
): { readonly lost: readonly DamagedFile[]; readonly others: readonly DamagedFile[] } {
  const folders = new Set(slices.map(({ source }) => dirname(source.name)));
  const imageFolders = new Set(allSlices.map(({ source }) => dirname(source.name)));
  const [{ seriesUid, studyUid, modality }] = slices;
  const isLost = (file: DamagedFile): boolean => {
    if (file.isStranger === true) return false;
    if (file.classUid !== undefined && file.classUid !== '' && !isImageClass(file.classUid)) return false;
    if (file.modality !== undefined && file.modality !== modality) return false;
    if (file.studyUid !== undefined && file.studyUid !== studyUid) return false;
    if (file.seriesUid !== undefined) return file.seriesUid === seriesUid;
    const folder = dirname(file.source.name);
    return folders.has(folder) || !imageFolders.has(folder);
  };
  return { lost: damaged.filter(isLost), others: damaged.filter((file) => !isLost(file)) };
}
