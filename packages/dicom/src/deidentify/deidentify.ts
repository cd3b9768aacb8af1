/**
 * Deidentification of files by the Basic Application Level Confidentiality Profile of PS3.15, annex E, and its options.
 *
 * The rule: nothing stays that is not known to be harmless. Attributes of the two tables stay or are replaced; all others,
 * private ones, curves and overlays among them, are removed, in sequences as well. The file is written anew in its
 * transfer syntax, with the bytes of its pixels as they are. The trap: text in the pixels themselves is not seen; objects that
 * may have it are refused (refusals.ts).
 */
import { type DataSet, decimal, text } from '../data-set/data-set.js';
import { readFile } from '../data-set/read-file.js';
import { tags } from '../data-set/tags.js';
import { type Code, element, encodeFile, type WriteElement } from '../data-set/write-data-set.js';
import { DicomError } from '../dicom-error.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { dayShiftOf, keyBytes, newPatientOf } from './identifiers.js';
import { checkDeidentifiable, isMultiFrame, mayShowFace, type RefusalKind } from './refusals.js';
import type { KeptInformation } from './rules.js';
import { tracesOf } from './traces.js';
import { type DateHandling, newUid, treatSet, type Work } from './treat-elements.js';

export interface DeidentifyOptions {
  /** 32 bytes: the same key gives the same new identifiers. Whoever has it can recognise a patient whose identifier he knows. */
  readonly key: Uint8Array;
  /** Default remove. */
  readonly dates?: DateHandling;
  /** What stays beyond the basic profile. Default nothing. */
  readonly keep?: readonly KeptInformation[];
  /** Kinds of objects that are let pass although their pixels may show names. */
  readonly accept?: readonly RefusalKind[];
}

export interface DeidentifiedFile {
  /** A whole DICOM file. */
  readonly bytes: Uint8Array;
  /** New identifier and name of the patient. */
  readonly patientId: string;
  readonly seriesUid: string;
  readonly instanceUid: string;
  /** Undefined where the file has none, or no whole number. */
  readonly instanceNumber?: number;
  /** It is a scan of the head: a rendering may show the face. */
  readonly mayShowFace: boolean;
}

/**
 * One file without whom it shows.
 * @throws DicomError `identifying` for an object that is refused, others for a damaged one; FileError
 */
export async function deidentify(source: DicomSource, options: DeidentifyOptions): Promise<DeidentifiedFile> {
  const { key, dates = 'remove', keep = [], accept = [] } = options;
  if (key.length !== keyBytes) throw new RangeError(`a key of ${key.length} bytes; expected ${keyBytes}`);
  const { dataSet, syntax } = await readFile(source);
  checkDeidentifiable(source.name, dataSet, accept);
  const classUid = text(dataSet, tags.SOPClassUID) ?? '';
  const patient = patientOf(dataSet);
  const work: Work = {
    key,
    kept: new Set(keep),
    dates,
    days: dates === 'shift' ? dayShiftOf(key, patient) : 0,
    patientId: newPatientOf(key, patient),
    multiFrame: isMultiFrame(classUid),
    traces: tracesOf(dataSet),
  };
  const uid = (tag: number, name: string): string => {
    const stated = text(dataSet, tag);
    if (stated === undefined) throw new DicomError(source.name, 'write', `has no ${name}; not deidentified`);
    return newUid(stated, work);
  };
  const instanceUid = uid(tags.SOPInstanceUID, 'SOP Instance UID');
  const seriesUid = uid(tags.SeriesInstanceUID, 'Series Instance UID');
  const elements = [...treatSet(dataSet, work), ...recordOf(work)];
  const instanceNumber = decimal(dataSet, tags.InstanceNumber);
  return {
    bytes: encodeFile(elements, { classUid, instanceUid }, syntax),
    patientId: work.patientId,
    seriesUid,
    instanceUid,
    ...(Number.isSafeInteger(instanceNumber) && { instanceNumber }),
    mayShowFace: mayShowFace(dataSet),
  };
}

/** What tells the patient: the identifier, else name and birth date, else nothing but the study. */
function patientOf(dataSet: DataSet): string {
  const id = text(dataSet, tags.PatientID);
  if (id !== undefined) return id;
  const name = text(dataSet, tags.PatientName);
  if (name !== undefined) return `${name}\0${text(dataSet, tags.PatientBirthDate) ?? ''}`;
  return `\0${text(dataSet, tags.StudyInstanceUID) ?? ''}`;
}

const profileCode: Code = { value: '113100', scheme: 'DCM', meaning: 'Basic Application Confidentiality Profile' };

/** Codes of the options (PS3.16, CID 7050). */
const optionCodes: Readonly<Record<KeptInformation | 'keep' | 'shift', readonly [value: string, meaning: string]>> = {
  descriptors: ['113105', 'Clean Descriptors Option'],
  keep: ['113106', 'Retain Longitudinal Temporal Information Full Dates Option'],
  shift: ['113107', 'Retain Longitudinal Temporal Information Modified Dates Option'],
  patient: ['113108', 'Retain Patient Characteristics Option'],
  device: ['113109', 'Retain Device Identity Option'],
  uids: ['113110', 'Retain UIDs Option'],
  institution: ['113112', 'Retain Institution Identity Option'],
};

const temporalStates: Readonly<Record<DateHandling, string>> = {
  remove: 'REMOVED',
  shift: 'MODIFIED',
  keep: 'UNMODIFIED',
};

/** What was done, as the file says it (PS3.3, C.12.1.1.1 and C.7.1.1). */
function recordOf({ kept, dates }: Work): WriteElement[] {
  const options = [...kept, ...(dates === 'remove' ? [] : [dates])].map((option) => optionCodes[option]);
  const chosen = options
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([value, meaning]): Code => ({ value, scheme: 'DCM', meaning }));
  const codes = [profileCode, ...chosen];
  return [
    element(tags.PatientIdentityRemoved, 'CS', 'YES'),
    element(tags.DeidentificationMethod, 'LO', ['Quickcolumn', ...codes.map(({ meaning }) => meaning)].join('\\')),
    element(
      tags.DeidentificationMethodCodeSequence,
      'SQ',
      codes.map(({ value, scheme, meaning }) => [
        element(tags.CodeValue, 'SH', value),
        element(tags.CodingSchemeDesignator, 'SH', scheme),
        element(tags.CodeMeaning, 'LO', meaning),
      ]),
    ),
    element(tags.LongitudinalTemporalInformationModified, 'CS', temporalStates[dates]),
  ];
}
