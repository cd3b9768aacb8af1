/**
 * DICOM Segmentation objects (PS3.3, A.51): labels of a CT series as binary segments that any viewer can lay over it.
 *
 * One segment per class, one frame per segment and plane that is not empty; each frame states its place and the image
 * it was drawn on, and the object refers to every image of the series. Bits are packed without gaps between frames,
 * the lowest first (PS3.5, 8.1.1).
 * The trap: planes lie where the affine of the labels says, in LPS; the labels must be on the grid of the volume that
 * `readSeries` returned, in its orientation, or every frame would refer to the wrong image.
 */
import { compareGrids, type Volume } from '@quickcolumn/volume';
import { dicomCielab } from './cielab.js';
import { type DataSet, decimal, text } from '../data-set/data-set.js';
import { DicomError } from '../dicom-error.js';
import { copiedStudy } from './copied-study.js';
import { readHeader } from '../data-set/read-file.js';
import type { DicomVolume } from '../series/read-series.js';
import { checkReferable } from './referable.js';
import { segmentCodes } from './segment-codes.js';
import { codeItem, dimensions, functionalGroups, referencedSeries, type SegmentFrame } from './segmentation-frames.js';
import { tags } from '../data-set/tags.js';
import { decimalString, element, encodeFile, newUid, type WriteElement } from '../data-set/write-data-set.js';

/** One class to be written. */
export interface SegmentClass {
  /** Its value in the labels, 1 to 255. */
  readonly value: number;
  readonly name: string;
  /** sRGB, 0 to 255 each. */
  readonly color: readonly [number, number, number];
}

export interface SegmentationOptions {
  /** Classes in the order of segment numbers, without the background. */
  readonly classes: readonly SegmentClass[];
  /** Name of the model or method; ASCII. */
  readonly algorithm: string;
  /** Version of this software. */
  readonly version: string;
  readonly seriesDescription?: string;
  readonly seriesNumber?: number;
  /** When it was made; default now. */
  readonly now?: Date;
  /** Is told what of the source could not be taken over. */
  readonly onNote?: (text: string) => void;
}

const segmentationClass = '1.2.840.10008.5.1.4.1.1.66.4';

/**
 * The bytes of a segmentation of `scan`. A series without any voxel of a class still gets an object, with one empty
 * frame. Throws DicomError `write` for labels on another grid or of a class that is not named, and where the source has
 * no valid UIDs to refer to (`checkReferable`).
 */
export async function encodeSegmentation(
  labels: Volume<Uint8Array>,
  scan: DicomVolume,
  options: SegmentationOptions,
): Promise<Uint8Array> {
  const { classes, now = new Date(), onNote } = options;
  checkReferable(scan);
  const fail = (problem: string): never => {
    throw new DicomError(`series ${scan.seriesUid}`, 'write', problem);
  };
  const { same, reason } = compareGrids(labels, scan.volume);
  if (!same) fail(`the labels are not on the grid of the series: ${reason}`);
  if (classes.length === 0) fail('no classes are named for the segmentation');
  const found = usedPlanes(labels, classes, fail);
  const frames = found.length > 0 ? found : [{ segment: 1, plane: 0 }];
  const { dataSet } = await readHeader(scan.firstSource);
  const instanceUid = newUid();
  if (scan.frameOfReferenceUid === '') {
    onNote?.('the images have no frame of reference UID; the DICOM segmentation has a new one');
  }
  const frameOfReferenceUid = scan.frameOfReferenceUid || newUid();
  const [date, time] = dicomDateTime(now);
  const { studyUid, seriesUid } = scan;
  const description = options.seriesDescription ?? 'Quickcolumn segmentation, research use only';
  const elements: WriteElement[] = [
    ...copiedStudy(`series ${seriesUid}`, dataSet, onNote),
    element(tags.SOPClassUID, 'UI', segmentationClass),
    element(tags.SOPInstanceUID, 'UI', instanceUid),
    element(tags.StudyInstanceUID, 'UI', studyUid),
    element(tags.Modality, 'CS', 'SEG'),
    element(tags.SeriesInstanceUID, 'UI', newUid()),
    element(tags.SeriesNumber, 'IS', String(options.seriesNumber ?? 9000)),
    element(tags.SeriesDescription, 'LO', ascii(description, 64)),
    element(tags.SeriesDate, 'DA', date),
    element(tags.SeriesTime, 'TM', time),
    element(tags.FrameOfReferenceUID, 'UI', frameOfReferenceUid),
    element(tags.PositionReferenceIndicator, 'LO', ''),
    element(tags.Manufacturer, 'LO', 'Quickcolumn'),
    element(tags.ManufacturerModelName, 'LO', 'Quickcolumn'),
    element(tags.DeviceSerialNumber, 'LO', '1'),
    element(tags.SoftwareVersions, 'LO', ascii(options.version, 64)),
    element(tags.InstanceNumber, 'IS', '1'),
    element(tags.ImageType, 'CS', 'DERIVED\\PRIMARY'),
    element(tags.ContentDate, 'DA', date),
    element(tags.ContentTime, 'TM', time),
    element(tags.ContentLabel, 'CS', 'SEGMENTATION'),
    element(tags.ContentDescription, 'LO', ascii(description, 64)),
    element(tags.ContentCreatorName, 'PN', 'Quickcolumn^'),
    ...lossyCompression(dataSet, scan.lossy),
    ...referencedSeries(seriesUid, scan.images),
    ...dimensions(),
    element(tags.SegmentationType, 'CS', 'BINARY'),
    element(tags.SegmentsOverlap, 'CS', 'NO'),
    element(
      tags.SegmentSequence,
      'SQ',
      classes.map((entry, i) => segmentItem(entry, i + 1, ascii(options.algorithm, 64))),
    ),
    element(tags.SamplesPerPixel, 'US', [1]),
    element(tags.PhotometricInterpretation, 'CS', 'MONOCHROME2'),
    element(tags.NumberOfFrames, 'IS', String(frames.length)),
    element(tags.Rows, 'US', [labels.size[1]]),
    element(tags.Columns, 'US', [labels.size[0]]),
    element(tags.BitsAllocated, 'US', [1]),
    element(tags.BitsStored, 'US', [1]),
    element(tags.HighBit, 'US', [0]),
    element(tags.PixelRepresentation, 'US', [0]),
    ...functionalGroups(labels, scan, frames),
    element(tags.PixelData, 'OB', packedBits(labels, classes, frames)),
  ];
  return encodeFile(elements, { classUid: segmentationClass, instanceUid });
}

/** Frames that are not empty, segment by segment, planes in order. */
function usedPlanes(
  labels: Volume<Uint8Array>,
  classes: readonly SegmentClass[],
  fail: (problem: string) => never,
): SegmentFrame[] {
  const [columns, rows, planes] = labels.size;
  const segmentOf = new Int16Array(256).fill(-1);
  segmentOf[0] = 0;
  for (const [i, { value }] of classes.entries()) segmentOf[value] = i + 1;
  const used = new Uint8Array((classes.length + 1) * planes);
  for (let plane = 0, at = 0; plane < planes; plane++) {
    for (const end = at + columns * rows; at < end; at++) {
      const segment = segmentOf[labels.voxels[at]];
      if (segment < 0) fail(`label ${labels.voxels[at]} belongs to no class that is named`);
      used[segment * planes + plane] = 1;
    }
  }
  const frames: SegmentFrame[] = [];
  for (let segment = 1; segment <= classes.length; segment++) {
    for (let plane = 0; plane < planes; plane++)
      if (used[segment * planes + plane] === 1) frames.push({ segment, plane });
  }
  return frames;
}

function packedBits(
  { voxels, size }: Volume<Uint8Array>,
  classes: readonly SegmentClass[],
  frames: readonly SegmentFrame[],
): Uint8Array {
  const pixels = size[0] * size[1];
  const bytes = new Uint8Array(Math.ceil((pixels * frames.length) / 8));
  for (const [frame, { segment, plane }] of frames.entries()) {
    const { value } = classes[segment - 1];
    for (let i = 0, bit = frame * pixels; i < pixels; i++, bit++) {
      if (voxels[plane * pixels + i] === value) bytes[bit >> 3] |= 1 << (bit & 7);
    }
  }
  return bytes;
}

function segmentItem({ name, color }: SegmentClass, number: number, algorithm: string): WriteElement[] {
  const { category, type, modifier, region } = segmentCodes(name);
  const typeItem = codeItem(type);
  if (modifier !== undefined) {
    typeItem.push(element(tags.SegmentedPropertyTypeModifierCodeSequence, 'SQ', [codeItem(modifier)]));
  }
  return [
    element(tags.SegmentNumber, 'US', [number]),
    element(tags.SegmentLabel, 'LO', ascii(name, 64)),
    element(tags.SegmentAlgorithmType, 'CS', 'AUTOMATIC'),
    element(tags.SegmentAlgorithmName, 'LO', algorithm),
    element(tags.RecommendedDisplayCIELabValue, 'US', dicomCielab(color)),
    element(tags.SegmentedPropertyCategoryCodeSequence, 'SQ', [codeItem(category)]),
    element(tags.SegmentedPropertyTypeCodeSequence, 'SQ', [typeItem]),
    ...(region === undefined ? [] : [element(tags.AnatomicRegionSequence, 'SQ', [codeItem(region)])]),
  ];
}

/** Once lossy, always lossy: an object that was derived from lossy images says so (PS3.3, C.7.6.1.1.5). */
function lossyCompression(source: DataSet, lossy: boolean): WriteElement[] {
  const stated = text(source, tags.LossyImageCompression);
  if (!lossy && stated !== '01') return [element(tags.LossyImageCompression, 'CS', '00')];
  const ratio = decimal(source, tags.LossyImageCompressionRatio);
  const method = text(source, tags.LossyImageCompressionMethod)?.split('\\')[0] ?? '';
  return [
    element(tags.LossyImageCompression, 'CS', '01'),
    element(tags.LossyImageCompressionRatio, 'DS', decimalString(ratio ?? 1)),
    // A code string that is not valid says nothing.
    element(tags.LossyImageCompressionMethod, 'CS', /^[A-Z0-9_ ]{1,16}$/.test(method) ? method : 'ISO_10918_1'),
  ];
}

/** 'YYYYMMDD' and 'HHMMSS' in UTC. */
function dicomDateTime(now: Date): [string, string] {
  const digits = now.toISOString().replace(/\D/g, '');
  return [digits.slice(0, 8), digits.slice(8, 14)];
}

/** Other characters might not exist in the character set that was copied from the source. */
function ascii(value: string, length: number): string {
  return value
    .normalize('NFKD')
    .replace(/[^\x20-\x5b\x5d-\x7e]/g, '')
    .slice(0, length);
}
