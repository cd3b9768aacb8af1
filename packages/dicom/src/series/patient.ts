/**
 * Patient and study of a file as text, for people who ask for it (PS3.3, C.7.1.1 and C.7.2.1). Besides this, only the study
 * that a segmentation repeats is read of them (copied-study.ts).
 */
import { type DataSet, text, valueBytes } from '../data-set/data-set.js';
import { readHeader } from '../data-set/read-file.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { tags } from '../data-set/tags.js';

export interface PatientFacts {
  readonly patientName: string;
  readonly patientId: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly studyDate: string;
  readonly studyDescription: string;
  readonly seriesDescription: string;
}

/** Encodings by their defined term (PS3.3, C.12.1.1.2); others are shown as latin1. */
const encodings: Readonly<Record<string, string>> = {
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 148': 'windows-1254',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

/** Decodes texts in the character set that the file states. */
export function textDecoder(dataSet: DataSet): InstanceType<typeof TextDecoder> {
  const charset = text(dataSet, tags.SpecificCharacterSet)?.split('\\')[0] ?? '';
  return new TextDecoder(encodings[charset] ?? 'latin1');
}

/** Reads who and what a file shows. Patient data: for the eyes of those who asked only. */
export async function readPatient(source: DicomSource): Promise<PatientFacts> {
  const { dataSet } = await readHeader(source);
  const decoder = textDecoder(dataSet);
  const show = (tag: number): string =>
    decoder
      .decode(valueBytes(dataSet, tag)?.subarray(0, 1024))
      // Control characters in a name could rewrite a terminal.
      .replace(/\p{Cc}/gu, '')
      .trim();
  return {
    patientName: show(tags.PatientName),
    patientId: show(tags.PatientID),
    birthDate: show(tags.PatientBirthDate),
    sex: show(tags.PatientSex),
    studyDate: show(tags.StudyDate),
    studyDescription: show(tags.StudyDescription),
    seriesDescription: show(tags.SeriesDescription),
  };
}
