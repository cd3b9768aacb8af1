/**
 * DICOM Segmentation objects (PS3.3, A.51): labels of a CT series as binary segments that any viewer can lay over it.
 *
 * One segment per class, one frame per segment and plane that is not empty; each frame states its place and the image
 * it was drawn on, and the object refers to every image of the series. Bits are packed without gaps between frames,
 * the lowest first (PS3.5, 8.1.1).
 * The trap: planes lie where the affine of the labels says, in LPS; the labels must be on the grid of the volume that
 * `readSeries` returned, in its orientation, or every frame would refer to the wrong image.
 */
import { compareGrids, type Vector3, type Volume } from '@quickcolumn/volume';
import { dicomCielab } from './cielab.js';
import { type DataSet, decimal, text } from './data-set.js';
import { DicomError } from './dicom-error.js';
import { copiedStudy } from './patient.js';
import { readHeader } from './read-file.js';
import type { DicomVolume, SourceImage } from './read-series.js';
import { segmentCodes } from './segment-codes.js';
import { tags } from './tags.js';
import { cross, dot, norm } from './vectors.js';
import { type Code, decimalString, element, encodeFile, newUid, type WriteElement } from './write-data-set.js';

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
}

const segmentationClass = '1.2.840.10008.5.1.4.1.1.66.4';
const segmentation: Code = { value: '113076', scheme: 'DCM', meaning: 'Segmentation' };
const sourceImage: Code = { value: '121322', scheme: 'DCM', meaning: 'Source image for image processing operation' };

interface Frame {
  readonly segment: number;
  readonly plane: number;
}

/**
 * The bytes of a segmentation of `scan`. A series without any voxel of a class still gets an object, with one empty
 * frame. Throws DicomError `write` for labels on another grid or of a class that is not named.
 */
export async function encodeSegmentation(
  labels: Volume<Uint8Array>,
  scan: DicomVolume,
  options: SegmentationOptions,
): Promise<Uint8Array> {
  const { classes, now = new Date() } = options;
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
  const frameOfReferenceUid = scan.frameOfReferenceUid || newUid();
  const [date, time] = dicomDateTime(now);
  const { studyUid, seriesUid } = scan;
  const description = options.seriesDescription ?? 'Quickcolumn segmentation, research use only';
  const elements: WriteElement[] = [
    ...copiedStudy(dataSet),
    element(tags.SOPClassUID, 'UI', segmentationClass),
    element(tags.SOPInstanceUID, 'UI', instanceUid),
    element(tags.StudyInstanceUID, 'UI', studyUid || newUid()),
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
): Frame[] {
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
  const frames: Frame[] = [];
  for (let segment = 1; segment <= classes.length; segment++) {
    for (let plane = 0; plane < planes; plane++)
      if (used[segment * planes + plane] === 1) frames.push({ segment, plane });
  }
  return frames;
}

function packedBits(
  { voxels, size }: Volume<Uint8Array>,
  classes: readonly SegmentClass[],
  frames: readonly Frame[],
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

function codeItem({ value, scheme, meaning }: Code): WriteElement[] {
  return [
    element(tags.CodeValue, 'SH', value),
    element(tags.CodingSchemeDesignator, 'SH', scheme),
    element(tags.CodeMeaning, 'LO', meaning),
  ];
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

function referencedSeries(seriesUid: string, images: readonly SourceImage[]): WriteElement[] {
  const instances = new Map(images.map((image) => [image.instanceUid, image]));
  return [
    element(tags.ReferencedSeriesSequence, 'SQ', [
      [
        element(tags.SeriesInstanceUID, 'UI', seriesUid),
        element(
          tags.ReferencedInstanceSequence,
          'SQ',
          [...instances.values()].map((image) => reference(image)),
        ),
      ],
    ]),
  ];
}

function reference({ classUid, instanceUid }: SourceImage): WriteElement[] {
  return [
    element(tags.ReferencedSOPClassUID, 'UI', classUid),
    element(tags.ReferencedSOPInstanceUID, 'UI', instanceUid),
  ];
}

/** Frames are indexed by segment, then by place. */
function dimensions(): WriteElement[] {
  const uid = newUid();
  const pointer = (to: number, group: number, label: string): WriteElement[] => [
    element(tags.DimensionOrganizationUID, 'UI', uid),
    element(tags.DimensionIndexPointer, 'AT', [to]),
    element(tags.FunctionalGroupPointer, 'AT', [group]),
    element(tags.DimensionDescriptionLabel, 'LO', label),
  ];
  return [
    element(tags.DimensionOrganizationSequence, 'SQ', [[element(tags.DimensionOrganizationUID, 'UI', uid)]]),
    element(tags.DimensionIndexSequence, 'SQ', [
      pointer(tags.ReferencedSegmentNumber, tags.SegmentIdentificationSequence, 'Segment'),
      pointer(tags.ImagePositionPatient, tags.PlanePositionSequence, 'Position'),
    ]),
  ];
}

function functionalGroups(labels: Volume<Uint8Array>, scan: DicomVolume, frames: readonly Frame[]): WriteElement[] {
  const { affine } = labels;
  // RAS to LPS.
  const column = (c: number): Vector3 => [-affine[c] + 0, -affine[4 + c] + 0, affine[8 + c]];
  const [x, y, z, origin] = [column(0), column(1), column(2), column(3)];
  const unit = (v: Vector3): number[] => v.map((value) => value / norm(v));
  const normal = cross([x[0], x[1], x[2]], y);
  const distance = decimalString(Math.abs(dot(z, normal)) / norm(normal));
  const decimals = (values: readonly number[]): string => values.map((value) => decimalString(value)).join('\\');
  const shared = [
    element(tags.PlaneOrientationSequence, 'SQ', [
      [element(tags.ImageOrientationPatient, 'DS', decimals([...unit(x), ...unit(y)]))],
    ]),
    element(tags.PixelMeasuresSequence, 'SQ', [
      [
        element(tags.SliceThickness, 'DS', distance),
        element(tags.SpacingBetweenSlices, 'DS', distance),
        element(tags.PixelSpacing, 'DS', decimals([norm(y), norm(x)])),
      ],
    ]),
  ];
  const perFrame = frames.map(({ segment, plane }) => {
    const position = origin.map((value, axis) => value + plane * z[axis]);
    return [
      element(tags.FrameContentSequence, 'SQ', [[element(tags.DimensionIndexValues, 'UL', [segment, plane + 1])]]),
      element(tags.PlanePositionSequence, 'SQ', [[element(tags.ImagePositionPatient, 'DS', decimals(position))]]),
      element(tags.SegmentIdentificationSequence, 'SQ', [[element(tags.ReferencedSegmentNumber, 'US', [segment])]]),
      ...derivation(scan.sources[plane]),
    ];
  });
  return [
    element(tags.SharedFunctionalGroupsSequence, 'SQ', [shared]),
    element(tags.PerFrameFunctionalGroupsSequence, 'SQ', perFrame),
  ];
}

/** The image that a frame was drawn on; none for planes that were interpolated. */
function derivation(source: SourceImage | undefined): WriteElement[] {
  if (source === undefined) return [];
  const image = [
    ...reference(source),
    ...(source.frame === undefined ? [] : [element(tags.ReferencedFrameNumber, 'IS', String(source.frame))]),
    element(tags.SpatialLocationsPreserved, 'CS', 'YES'),
    element(tags.PurposeOfReferenceCodeSequence, 'SQ', [codeItem(sourceImage)]),
  ];
  return [
    element(tags.DerivationImageSequence, 'SQ', [
      [
        element(tags.SourceImageSequence, 'SQ', [image]),
        element(tags.DerivationCodeSequence, 'SQ', [codeItem(segmentation)]),
      ],
    ]),
  ];
}

/** Once lossy, always lossy: an object that was derived from lossy images says so (PS3.3, C.7.6.1.1.5). */
function lossyCompression(source: DataSet, lossy: boolean): WriteElement[] {
  const stated = text(source, tags.LossyImageCompression);
  if (!lossy && stated !== '01') return [element(tags.LossyImageCompression, 'CS', '00')];
  const ratio = decimal(source, tags.LossyImageCompressionRatio);
  return [
    element(tags.LossyImageCompression, 'CS', '01'),
    element(tags.LossyImageCompressionRatio, 'DS', decimalString(ratio ?? 1)),
    element(
      tags.LossyImageCompressionMethod,
      'CS',
      text(source, tags.LossyImageCompressionMethod)?.split('\\')[0] ?? 'ISO_10918_1',
    ),
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
