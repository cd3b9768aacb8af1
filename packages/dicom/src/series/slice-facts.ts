/**
 * What a file says about an image besides its geometry: which acquisition it belongs to, and numbers that its positions
 * can be checked against (plausibility.ts). Whose it is, is kept as a keyed hash only, which tells two patients
 * apart and nothing else; the key is new in every process.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { type DataSet, decimal, text, valueBytes } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';

export interface SliceFacts {
  /** Absent where the file gives none, and for frames of a multi-frame image, which share it. */
  readonly instanceNumber?: number;
  readonly sliceLocationMm?: number;
  /** As stated, not as the positions say. */
  readonly spacingBetweenSlicesMm?: number;
  readonly reconstructionDiameterMm?: number;
  /** HFS, FFS and so on (PS3.3, C.7.3.1.1.2). */
  readonly patientPosition?: string;
  readonly imagesInAcquisition?: number;
  readonly imagesInSeries?: number;
  /** What images of one acquisition have in common, by the keyword of the attribute. */
  readonly acquisition: ReadonlyMap<string, string>;
  /** When it was made, by the keyword of the attribute: texts that sort by time. */
  readonly times: ReadonlyMap<string, string>;
}

/** Hashes of what identifies patient and study. */
export interface SliceIdentity {
  /** Name and identifier of the patient. */
  readonly patient: string;
  /** What one patient, one study and one scanner have once: birth date, sex, the scanner's maker and serial number. */
  readonly once: string;
  /** What tells series apart where they have no UID. */
  readonly description: string;
}

const key = randomBytes(32);

/** Equal for equal texts in this process; says nothing else about them. */
export function keyedHash(...texts: readonly (string | undefined)[]): string {
  return createHmac('sha256', key)
    .update(JSON.stringify(texts.map((value) => value ?? '')))
    .digest('base64url');
}

/** @param frame what the functional groups say of a frame, where it has some; it comes before the data set */
export function sliceFacts(
  dataSet: DataSet,
  frame: { readonly content?: DataSet; readonly isOneOfMany: boolean },
): SliceFacts {
  const { content, isOneOfMany } = frame;
  const stated = (...keywords: readonly (keyof typeof tags)[]): [string, string][] =>
    keywords.flatMap((keyword) => {
      const value = (content && text(content, tags[keyword])) ?? text(dataSet, tags[keyword]);
      return value === undefined ? [] : [[keyword, value]];
    });
  const numbered = (keyword: keyof typeof tags, vr: keyof typeof binary): [string, string][] =>
    [content, dataSet].flatMap((set): [string, string][] => {
      const value = set === undefined ? undefined : binaryNumber(set, tags[keyword], vr);
      return value === undefined ? [] : [[keyword, String(value)]];
    });
  const joined = (keyword: 'Acquisition' | 'Content'): [string, string][] => {
    const date = text(dataSet, tags[`${keyword}Date`]) ?? '';
    const time = text(dataSet, tags[`${keyword}Time`]);
    return time === undefined ? [] : [[`${keyword}Time`, `${date}${time.replaceAll(':', '')}`]];
  };
  return {
    instanceNumber: isOneOfMany ? undefined : decimal(dataSet, tags.InstanceNumber),
    sliceLocationMm: isOneOfMany ? undefined : decimal(dataSet, tags.SliceLocation),
    spacingBetweenSlicesMm: decimal(dataSet, tags.SpacingBetweenSlices),
    reconstructionDiameterMm: decimal(dataSet, tags.ReconstructionDiameter),
    patientPosition: text(dataSet, tags.PatientPosition),
    imagesInAcquisition: isOneOfMany ? undefined : decimal(dataSet, tags.ImagesInAcquisition),
    imagesInSeries: isOneOfMany ? undefined : decimal(dataSet, tags.NumberOfSeriesRelatedInstances),
    acquisition: new Map([
      ...stated('AcquisitionUID', 'TemporalPositionIdentifier'),
      ...numbered('TemporalPositionIndex', 'UL'),
      ...numbered('NominalPercentageOfCardiacPhase', 'FD'),
      ...stated('TriggerTime'),
      ...numbered('FrameAcquisitionNumber', 'US'),
      ...stated('AcquisitionNumber', 'ConvolutionKernel', 'KVP', 'ImageType'),
    ]),
    times: new Map([...stated('AcquisitionDateTime'), ...joined('Acquisition'), ...joined('Content')]),
  };
}

const binary = {
  US: { bytes: 2, read: (view: DataView, little: boolean): number => view.getUint16(0, little) },
  UL: { bytes: 4, read: (view: DataView, little: boolean): number => view.getUint32(0, little) },
  FD: { bytes: 8, read: (view: DataView, little: boolean): number => view.getFloat64(0, little) },
} as const;

function binaryNumber(set: DataSet, tag: number, vr: keyof typeof binary): number | undefined {
  const bytes = valueBytes(set, tag);
  if (bytes === undefined || bytes.length < binary[vr].bytes) return undefined;
  return binary[vr].read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), !set.bigEndian);
}

/** The hashes of a file. */
export function sliceIdentity(dataSet: DataSet): SliceIdentity {
  const shown = (tag: number): string | undefined => text(dataSet, tag);
  return {
    patient: keyedHash(nameKey(shown(tags.PatientID)), nameKey(shown(tags.PatientName))),
    once: keyedHash(
      shown(tags.PatientBirthDate),
      shown(tags.PatientSex),
      shown(tags.Manufacturer),
      shown(tags.DeviceSerialNumber),
    ),
    description: keyedHash(
      shown(tags.SeriesNumber),
      shown(tags.SeriesDescription),
      shown(tags.SeriesDate),
      shown(tags.SeriesTime),
      shown(tags.ConvolutionKernel),
    ),
  };
}

/** Programs write one name with other capitals, spaces and empty components. */
function nameKey(name: string | undefined): string {
  return (name ?? '')
    .toUpperCase()
    .replace(/[\s^=]+/g, ' ')
    .trim();
}
