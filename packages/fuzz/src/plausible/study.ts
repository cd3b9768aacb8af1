/**
 * A chest CT as its scanner would store it: slices with everything that their headers say and their pixels, to be damaged in
 * the ways of real life and then written. Undamaged it is read without a note.
 */
import { Buffer } from 'node:buffer';
import { generatePhantom } from '@quickcolumn/phantom';
import { resizedAffine, type Volume } from '@quickcolumn/volume';
import { dicomFile, type SeedElement } from '../seeds/dicom-writer.js';
import type { ZipEntry } from '../seeds/zip-writer.js';

/** One image file. Values are texts as DICOM has them, so that they can be anything. */
export interface StudySlice {
  readonly file: string;
  readonly patientId: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly instanceUid: string;
  readonly modality: string;
  readonly instanceNumber: number;
  readonly acquisitionNumber: number;
  /** LPS millimetres. */
  readonly position: readonly [number, number, number];
  readonly orientation: readonly number[];
  readonly spacing: readonly [number, number];
  readonly columns: number;
  readonly rows: number;
  readonly bitsStored: number;
  readonly isSigned: boolean;
  readonly slope: string | undefined;
  readonly intercept: string | undefined;
  /** Stored values: HU + 1024. */
  readonly pixels: Uint16Array;
  /** Bytes of the file in the end, where not all are kept. */
  readonly keep?: number;
}

/** What a study really shows. */
export interface Truth {
  readonly volume: Volume<Int16Array>;
  /** Planes with lung, for studies of which less is left. */
  readonly lungPlanes: readonly [first: number, last: number];
}

export interface Study {
  readonly slices: readonly StudySlice[];
  readonly truth: Truth;
}

const size = [68, 58, 36] as const;
const plane = size[0] * size[1];

/** The study of patient `seed`, in the order from the head down, as scanners number it. */
export function makeStudy(seed: number): Study {
  const { image, lungPlanes } = quietPhantom(seed);
  const { voxels, affine } = image;
  const column = (at: number): [number, number, number] => [-affine[at], -affine[4 + at], affine[8 + at]];
  const [right, down, up, origin] = [0, 1, 2, 3].map(column);
  const mm = [Math.hypot(...right), Math.hypot(...down)];
  const orientation = [...right.map((value) => value / mm[0]), ...down.map((value) => value / mm[1])];
  const uid = `1.2.826.0.1.3680043.${seed + 1}`;
  const slices = Array.from({ length: size[2] }, (_, i): StudySlice => {
    const k = size[2] - 1 - i;
    const stored = voxels.subarray(k * plane, (k + 1) * plane);
    return {
      file: `IM${String(i + 1).padStart(4, '0')}`,
      patientId: `P-${seed}`,
      studyUid: `${uid}.1`,
      seriesUid: `${uid}.1.2`,
      instanceUid: `${uid}.1.2.${i + 1}`,
      modality: 'CT',
      instanceNumber: i + 1,
      acquisitionNumber: 1,
      position: [origin[0] + k * up[0], origin[1] + k * up[1], origin[2] + k * up[2]],
      orientation,
      spacing: [mm[1], mm[0]],
      columns: size[0],
      rows: size[1],
      bitsStored: 16,
      isSigned: false,
      slope: '1',
      intercept: '-1024',
      pixels: Uint16Array.from(stored, (hu) => Math.max(0, hu + 1024)),
    };
  });
  return { slices, truth: { volume: image, lungPlanes } };
}

/** A phantom whose pixels are means of four, as quiet as slices of a few millimetres are. */
function quietPhantom(seed: number): { readonly image: Volume<Int16Array>; readonly lungPlanes: Truth['lungPlanes'] } {
  const { image, labels } = generatePhantom({ seed, size: [2 * size[0], 2 * size[1], size[2]] });
  const voxels = new Int16Array(plane * size[2]);
  const lung: number[] = [];
  for (let k = 0, at = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      for (let i = 0; i < size[0]; i++, at++) {
        const from = 2 * i + 4 * size[0] * (j + size[1] * k);
        const four = [from, from + 1, from + 2 * size[0], from + 2 * size[0] + 1];
        voxels[at] = Math.round(four.reduce((sum, one) => sum + image.voxels[one], 0) / 4);
      }
    }
    if (labels.voxels.subarray(4 * k * plane, 4 * (k + 1) * plane).some((label) => label > 0)) lung.push(k);
  }
  const affine = resizedAffine(image.affine, image.size, size);
  return { image: { voxels, size, affine }, lungPlanes: [lung[0], lung[lung.length - 1]] };
}

/** The slices as an archive, in the order given. */
export function studyFiles(slices: readonly StudySlice[]): ZipEntry[] {
  return slices.map((slice) => {
    const bytes = dicomFile('1.2.840.10008.1.2.1', elementsOf(slice));
    return { name: slice.file, bytes: bytes.subarray(0, slice.keep ?? bytes.length), method: 0 };
  });
}

const decimals = (values: readonly number[]): string =>
  values.map((value) => String(Number(value.toFixed(6)))).join('\\');

function elementsOf(slice: StudySlice): SeedElement[] {
  const { pixels } = slice;
  return [
    [0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'],
    [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
    [0x00080018, 'UI', slice.instanceUid],
    [0x00080020, 'DA', '20200102'],
    [0x00080060, 'CS', slice.modality],
    [0x00100010, 'PN', `Patient^${slice.patientId}`],
    [0x00100020, 'LO', slice.patientId],
    [0x00185100, 'CS', 'HFS'],
    [0x0020000d, 'UI', slice.studyUid],
    [0x0020000e, 'UI', slice.seriesUid],
    [0x00200012, 'IS', String(slice.acquisitionNumber)],
    [0x00200013, 'IS', String(slice.instanceNumber)],
    [0x00200032, 'DS', decimals(slice.position)],
    [0x00200037, 'DS', decimals(slice.orientation)],
    [0x00200052, 'UI', `${slice.studyUid}.9`],
    [0x00280002, 'US', [1]],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', [slice.rows]],
    [0x00280011, 'US', [slice.columns]],
    [0x00280030, 'DS', decimals(slice.spacing)],
    [0x00280100, 'US', [16]],
    [0x00280101, 'US', [slice.bitsStored]],
    [0x00280102, 'US', [slice.bitsStored - 1]],
    [0x00280103, 'US', [slice.isSigned ? 1 : 0]],
    ...(slice.intercept === undefined ? [] : [[0x00281052, 'DS', slice.intercept] as const]),
    ...(slice.slope === undefined ? [] : [[0x00281053, 'DS', slice.slope] as const]),
    [0x7fe00010, 'OW', Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)],
  ];
}
