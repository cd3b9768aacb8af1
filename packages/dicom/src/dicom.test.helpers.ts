/** Helpers of the DICOM tests: small CT files made on the spot, and the series of the shared folder. */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DicomSource } from './sources/dicom-source.js';
import { tags } from './data-set/tags.js';
import { element, encodeFile, type WriteElement } from './data-set/write-data-set.js';
import type { TransferSyntax } from './data-set/transfer-syntax.js';
import { pathOf } from '@quickcolumn/testing';

const ctClass = '1.2.840.10008.5.1.4.1.1.2';

export interface SliceOptions {
  /** Millimetres; default 0, 0, 2·index. */
  readonly position?: readonly [number, number, number];
  readonly orientation?: readonly number[];
  readonly columns?: number;
  readonly rows?: number;
  readonly spacing?: string;
  readonly instanceNumber?: number;
  readonly seriesUid?: string;
  readonly imageType?: string;
  readonly slope?: string;
  readonly intercept?: string;
  /** Stored values; default: a pattern that depends on the index. */
  readonly values?: Int16Array;
  readonly more?: readonly WriteElement[];
  readonly without?: readonly number[];
  /** Default explicit little endian. */
  readonly syntax?: TransferSyntax;
}

/** One CT slice of 6 × 5 pixels, int16, as the bytes of a file. */
export function ctSlice(index: number, options: SliceOptions = {}): Uint8Array {
  const { columns = 6, rows = 5, position = [-30, -20, 2 * index] } = options;
  const values =
    options.values ?? Int16Array.from({ length: rows * columns }, (_, i) => ((i * 37 + index * 11) % 1500) - 200);
  const instanceUid = `1.2.3.4.${options.seriesUid ?? '1'}.${index + 1}`;
  const base: WriteElement[] = [
    element(tags.SpecificCharacterSet, 'CS', 'ISO_IR 100'),
    element(tags.ImageType, 'CS', options.imageType ?? 'ORIGINAL\\PRIMARY\\AXIAL'),
    element(tags.SOPClassUID, 'UI', ctClass),
    element(tags.SOPInstanceUID, 'UI', instanceUid),
    element(tags.StudyDate, 'DA', '20200102'),
    element(tags.StudyTime, 'TM', '101112'),
    element(tags.AccessionNumber, 'SH', ''),
    element(tags.Modality, 'CS', 'CT'),
    element(tags.ReferringPhysicianName, 'PN', ''),
    element(tags.PatientName, 'PN', 'Secret^Patient'),
    element(tags.PatientID, 'LO', 'P-4711'),
    element(tags.PatientBirthDate, 'DA', ''),
    element(tags.PatientSex, 'CS', 'O'),
    element(tags.SliceThickness, 'DS', '2'),
    element(tags.StudyInstanceUID, 'UI', '1.2.3.4'),
    element(tags.SeriesInstanceUID, 'UI', `1.2.3.4.${options.seriesUid ?? '1'}`),
    element(tags.StudyID, 'SH', ''),
    element(tags.SeriesNumber, 'IS', '1'),
    element(tags.InstanceNumber, 'IS', String(options.instanceNumber ?? index + 1)),
    element(tags.ImagePositionPatient, 'DS', position.join('\\')),
    element(tags.ImageOrientationPatient, 'DS', (options.orientation ?? [1, 0, 0, 0, 1, 0]).join('\\')),
    element(tags.FrameOfReferenceUID, 'UI', '1.2.3.4.9'),
    element(tags.SamplesPerPixel, 'US', [1]),
    element(tags.PhotometricInterpretation, 'CS', 'MONOCHROME2'),
    element(tags.Rows, 'US', [rows]),
    element(tags.Columns, 'US', [columns]),
    element(tags.PixelSpacing, 'DS', options.spacing ?? '0.8\\0.7'),
    element(tags.BitsAllocated, 'US', [16]),
    element(tags.BitsStored, 'US', [16]),
    element(tags.HighBit, 'US', [15]),
    element(tags.PixelRepresentation, 'US', [1]),
    element(tags.RescaleIntercept, 'DS', options.intercept ?? '-1024'),
    element(tags.RescaleSlope, 'DS', options.slope ?? '1'),
    element(tags.PixelData, 'OW', new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  ];
  const replaced = new Set([...(options.more ?? []).map(({ tag }) => tag), ...(options.without ?? [])]);
  const elements = [...base.filter(({ tag }) => !replaced.has(tag)), ...(options.more ?? [])];
  return encodeFile(elements, { classUid: ctClass, instanceUid }, options.syntax);
}

export function memorySource(name: string, bytes: Uint8Array): DicomSource {
  return { name, bytes: bytes.length, read: async (limit = bytes.length) => bytes.slice(0, limit) };
}

/** Sources named slice-0.dcm and so on. */
export function sourcesOf(files: readonly Uint8Array[]): DicomSource[] {
  return files.map((bytes, i) => memorySource(`slice-${i}.dcm`, bytes));
}

/** Writes files named IM0001 and so on into a folder. */
export async function writeSlices(folder: string, files: readonly Uint8Array[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [i, bytes] of files.entries()) {
    await writeFile(join(folder, `IM${String(i + 1).padStart(4, '0')}`), bytes);
  }
}

const lidcArchive = join(pathOf('shared'), 'dicom/LIDC-IDRI-1011_dicom.tar.gz');

/** Unpacks the LIDC series; returns its folder. */
export async function unpackLidc(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const { status } = spawnSync('tar', ['xzf', lidcArchive, '-C', folder]);
  if (status !== 0) throw new Error(`cannot unpack ${lidcArchive}`);
  return folder;
}
