/**
 * What a series needs to know of each image plane, from classic single-frame images and from enhanced multi-frame ones
 * (PS3.3, C.7.6.16: a macro stands per frame, or shared by all). Frames of one file become one slice each.
 *
 * Positions and directions are those of DICOM: millimetres, x to the patient's left, y to posterior, z to superior.
 * The trap: numbers may be missing or nonsense; then the field is undefined and the series says which file it is.
 */
import type { Vector3 } from '@quickcolumn/volume';
import { type DataSet, decimal, decimals, int16, items, text, texts } from '../data-set/data-set.js';
import { DicomError } from '../dicom-error.js';
import { dicomLimits } from '../limits.js';
import type { DicomFile } from '../data-set/read-file.js';
import { type SliceFacts, sliceFacts, type SliceIdentity, sliceIdentity } from './slice-facts.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { tags } from '../data-set/tags.js';
import type { TransferSyntax } from '../data-set/transfer-syntax.js';

/** How the pixels of a file are stored; equal for all its frames. */
export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly frames: number;
  readonly samples: number;
  readonly photometric: string;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  /** Stored values from lowest to highest that stand for 'no data' (PS3.3, C.7.5.1.1.2). */
  readonly padding?: readonly [number, number];
}

export interface Rescale {
  readonly slope: number;
  readonly intercept: number;
}

export interface RescaleGap {
  readonly attribute: 'slope' | 'intercept';
  readonly state: 'absent' | 'unreadable';
}

/** One image plane. */
export interface SliceHeader {
  readonly source: DicomSource;
  readonly syntax: TransferSyntax;
  readonly format: PixelFormat;
  /** Frame of the file, from 0. */
  readonly frame: number;
  readonly instanceUid: string;
  readonly classUid: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly frameOfReferenceUid: string;
  readonly modality: string;
  readonly imageType: readonly string[];
  /** Centre of the first pixel. */
  readonly position?: Vector3;
  /** Direction of increasing columns, then of increasing rows. */
  readonly rowDirection?: Vector3;
  readonly columnDirection?: Vector3;
  /** Distance of neighbouring columns (along a row), and of neighbouring rows. */
  readonly columnSpacingMm?: number;
  readonly rowSpacingMm?: number;
  readonly thicknessMm?: number;
  /** To HU: value · slope + intercept; absent where the file has no rescale. */
  readonly rescale?: Rescale;
  /** Attributes of the rescale that are absent (then slope 1, intercept 0 is taken) or cannot be read as numbers. */
  readonly rescaleGaps: readonly RescaleGap[];
  /** What the rescaled values are, where the file says it; 'HU' for CT. */
  readonly rescaleType?: string;
  readonly facts: SliceFacts;
  readonly identity: SliceIdentity;
}

/** Slices of a file that has pixels, or undefined for one that has none (reports, structure sets). Throws DicomError. */
export function sliceHeaders({ source, syntax, dataSet }: DicomFile): SliceHeader[] | undefined {
  if (!dataSet.elements.has(tags.PixelData)) return undefined;
  const format = pixelFormat(source.name, dataSet);
  const common = {
    source,
    syntax,
    format,
    instanceUid: text(dataSet, tags.SOPInstanceUID) ?? '',
    classUid: text(dataSet, tags.SOPClassUID) ?? '',
    studyUid: text(dataSet, tags.StudyInstanceUID) ?? '',
    seriesUid: text(dataSet, tags.SeriesInstanceUID) ?? '',
    frameOfReferenceUid: text(dataSet, tags.FrameOfReferenceUID) ?? '',
    modality: text(dataSet, tags.Modality) ?? '?',
    identity: sliceIdentity(dataSet),
  };
  const shared = items(dataSet, tags.SharedFunctionalGroupsSequence)[0];
  const perFrame = items(dataSet, tags.PerFrameFunctionalGroupsSequence);
  const isOneOfMany = format.frames > 1;
  const single = isOneOfMany ? undefined : sliceFacts(dataSet, { isOneOfMany });
  return Array.from({ length: format.frames }, (_, frame) => {
    const group = perFrame[frame];
    const content = group === undefined ? undefined : items(group, tags.FrameContentSequence)[0];
    return {
      ...common,
      frame,
      ...planeOf([group, shared], dataSet),
      facts: single ?? sliceFacts(dataSet, { content, isOneOfMany }),
    };
  });
}

type Plane = Omit<
  SliceHeader,
  'source' | 'syntax' | 'format' | 'frame' | 'modality' | 'facts' | 'identity' | `${string}Uid`
>;

/** @param groups functional groups, the frame's own first; the data set itself comes last. */
function planeOf(groups: readonly (DataSet | undefined)[], dataSet: DataSet): Plane {
  const macro = (sequence: number, tag: number): DataSet => {
    for (const group of groups) {
      const item = group === undefined ? undefined : items(group, sequence)[0];
      if (item?.elements.has(tag)) return item;
    }
    return dataSet;
  };
  const numbers = (sequence: number, tag: number, count: number): number[] | undefined =>
    decimals(macro(sequence, tag), tag, count);
  const position = numbers(tags.PlanePositionSequence, tags.ImagePositionPatient, 3);
  const directions = numbers(tags.PlaneOrientationSequence, tags.ImageOrientationPatient, 6);
  const spacing = numbers(tags.PixelMeasuresSequence, tags.PixelSpacing, 2);
  const frameType = macro(tags.CTImageFrameTypeSequence, tags.FrameType);
  const imageType = texts(frameType, tags.FrameType);
  const gaps: RescaleGap[] = [];
  const scaleNumber = (attribute: RescaleGap['attribute'], tag: number): number | undefined => {
    const stated = text(macro(tags.PixelValueTransformationSequence, tag), tag);
    const value = numbers(tags.PixelValueTransformationSequence, tag, 1)?.[0];
    if (value === undefined) gaps.push({ attribute, state: stated === undefined ? 'absent' : 'unreadable' });
    return value;
  };
  const slope = scaleNumber('slope', tags.RescaleSlope);
  const intercept = scaleNumber('intercept', tags.RescaleIntercept);
  const hasRescale = slope !== undefined || intercept !== undefined;
  return {
    imageType: imageType[0] === '' ? texts(dataSet, tags.ImageType) : imageType,
    position: position && [position[0], position[1], position[2]],
    rowDirection: directions && [directions[0], directions[1], directions[2]],
    columnDirection: directions && [directions[3], directions[4], directions[5]],
    rowSpacingMm: spacing?.[0],
    columnSpacingMm: spacing?.[1],
    thicknessMm: numbers(tags.PixelMeasuresSequence, tags.SliceThickness, 1)?.[0],
    ...(hasRescale ? { rescale: { slope: slope ?? 1, intercept: intercept ?? 0 } } : {}),
    rescaleGaps: gaps,
    rescaleType: text(macro(tags.PixelValueTransformationSequence, tags.RescaleType), tags.RescaleType),
  };
}

function pixelFormat(path: string, dataSet: DataSet): PixelFormat {
  const number = (tag: number, keyword: string): number => {
    const value = int16(dataSet, tag);
    if (value === undefined) throw new DicomError(path, 'damaged', `has pixels but no ${keyword}; the file is damaged`);
    return value;
  };
  const rows = number(tags.Rows, 'Rows');
  const columns = number(tags.Columns, 'Columns');
  const bitsAllocated = number(tags.BitsAllocated, 'BitsAllocated');
  const bitsStored = int16(dataSet, tags.BitsStored) ?? bitsAllocated;
  const highBit = int16(dataSet, tags.HighBit) ?? bitsStored - 1;
  const frames = decimal(dataSet, tags.NumberOfFrames) ?? 1;
  const samples = int16(dataSet, tags.SamplesPerPixel) ?? 1;
  const signed = number(tags.PixelRepresentation, 'PixelRepresentation') === 1;
  if (rows < 1 || columns < 1 || rows * columns > dicomLimits.framePixels) {
    throw new DicomError(path, 'limit', `${columns}×${rows} pixels; expected 1×1 to ${dicomLimits.framePixels} pixels`);
  }
  if (!Number.isInteger(frames) || frames < 1 || frames > dicomLimits.frames) {
    throw new DicomError(path, 'damaged', `NumberOfFrames is ${frames}; expected 1 to ${dicomLimits.frames}`);
  }
  const fits = [1, 8, 16, 32].includes(bitsAllocated) && bitsStored >= 1 && highBit >= bitsStored - 1;
  if (!fits || highBit >= bitsAllocated) {
    const bits = `${bitsAllocated} bits allocated, ${bitsStored} stored, highest bit ${highBit}`;
    throw new DicomError(path, 'pixels', `${bits}; expected 8, 16 or 32 allocated and the stored bits within`);
  }
  const low = int16(dataSet, tags.PixelPaddingValue, signed);
  const high = int16(dataSet, tags.PixelPaddingRangeLimit, signed) ?? low;
  return {
    rows,
    columns,
    frames,
    samples,
    photometric: text(dataSet, tags.PhotometricInterpretation) ?? '',
    bitsAllocated,
    bitsStored,
    highBit,
    signed,
    ...(low === undefined || high === undefined ? {} : { padding: [Math.min(low, high), Math.max(low, high)] }),
  };
}
