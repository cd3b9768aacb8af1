/** Patient and study of a file as raw elements, to be copied into an object of the same study (PS3.3, C.7.1.1 and C.7.2.1). */
import { type DataSet, valueBytes } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';
import { element, type WriteElement } from '../data-set/write-data-set.js';

/** Attributes that every object of the study repeats; all may be empty, all must be there. */
const repeated: readonly (readonly [number, string])[] = [
  [tags.PatientName, 'PN'],
  [tags.PatientID, 'LO'],
  [tags.PatientBirthDate, 'DA'],
  [tags.PatientSex, 'CS'],
  [tags.StudyDate, 'DA'],
  [tags.StudyTime, 'TM'],
  [tags.AccessionNumber, 'SH'],
  [tags.ReferringPhysicianName, 'PN'],
  [tags.StudyID, 'SH'],
];

/**
 * Elements of patient and study as they stand in the source, byte by byte, with its character set: our own texts are
 * ASCII, which every DICOM character set contains.
 */
export function copiedStudy(dataSet: DataSet): WriteElement[] {
  const charset = valueBytes(dataSet, tags.SpecificCharacterSet);
  const copied = repeated.map(([tag, vr]) => element(tag, vr, valueBytes(dataSet, tag) ?? ''));
  return charset === undefined ? copied : [element(tags.SpecificCharacterSet, 'CS', charset), ...copied];
}
