/**
 * Patient and study of a file as raw elements, to be copied into an object of the same study (PS3.3, C.7.1.1 and C.7.2.1).
 *
 * The trap: sources hold values that the standard forbids ('1960-01-01', sex 'f'). Archives match studies by identifier
 * and name, so one of these that is not valid cannot be left out; the others can, which is said.
 */
import { type DataSet, valueBytes } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';
import { DicomError } from '../dicom-error.js';
import { textDecoder } from '../series/patient.js';
import { element, type WriteElement } from '../data-set/write-data-set.js';

type CopiedVr = 'PN' | 'LO' | 'DA' | 'CS' | 'TM' | 'SH';

/** Attributes that every object of the study repeats; all may be empty, all must be there. */
const repeated: readonly (readonly [keyword: keyof typeof tags, vr: CopiedVr])[] = [
  ['PatientName', 'PN'],
  ['PatientID', 'LO'],
  ['PatientBirthDate', 'DA'],
  ['PatientSex', 'CS'],
  ['StudyDate', 'DA'],
  ['StudyTime', 'TM'],
  ['AccessionNumber', 'SH'],
  ['ReferringPhysicianName', 'PN'],
  ['StudyID', 'SH'],
];

/** What identifies a patient in an archive. */
const identifying = new Set<string>(['PatientName', 'PatientID']);

/** PS3.5, table 6.2-1; a value without its padding. Sex is the only CS that is copied (PS3.3, C.7.1.1). */
const valid: Readonly<Record<CopiedVr, (value: string) => boolean>> = {
  DA: (value) => /^\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/.test(value),
  TM: (value) => /^([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?$/.test(value),
  CS: (value) => /^[MFO]$/.test(value),
  SH: (value) => value.length <= 16 && isPlain(value),
  LO: (value) => value.length <= 64 && isPlain(value),
  PN: (value) => {
    const groups = value.split('=');
    return (
      groups.length <= 3 &&
      groups.every((group) => group.length <= 64 && /^([^^]*\^){0,4}[^^]*$/.test(group)) &&
      isPlain(value)
    );
  },
};

/** One value, without control characters but ESC, which changes the character set. */
function isPlain(value: string): boolean {
  return !/[\\\p{Cc}]/u.test(value.replaceAll('\u001b', ''));
}

/**
 * Elements of patient and study as they stand in the source, byte by byte, with its character set: our own texts are
 * ASCII, which every DICOM character set contains.
 *
 * @param path for errors
 * @param onNote is told of values that are not valid and therefore left empty, and of a character set that was assumed
 * @throws DicomError `write` where name or identifier of the patient are not valid
 */
export function copiedStudy(path: string, dataSet: DataSet, onNote?: (text: string) => void): WriteElement[] {
  const charset = valueBytes(dataSet, tags.SpecificCharacterSet);
  const decoder = textDecoder(dataSet);
  let needsCharset = false;
  const copied = repeated.map(([keyword, vr]) => {
    const bytes = withoutPadding(valueBytes(dataSet, tags[keyword]) ?? new Uint8Array(0));
    const text = decoder.decode(bytes);
    if (text === '' || valid[vr](text)) {
      if (bytes.some((byte) => byte >= 0x80)) needsCharset = true;
      return element(tags[keyword], vr, bytes);
    }
    if (identifying.has(keyword)) {
      const problem = `${keyword} is not valid (${vr}), so a DICOM segmentation cannot be filed under it; none is written`;
      throw new DicomError(path, 'write', problem, {
        options: { 'format nifti': 'write the mask in a format without it' },
      });
    }
    onNote?.(`${keyword} of the source is not valid (${vr}); the DICOM segmentation has it empty`);
    return element(tags[keyword], vr, '');
  });
  if (charset !== undefined) return [element(tags.SpecificCharacterSet, 'CS', charset), ...copied];
  if (!needsCharset) return copied;
  onNote?.('the source states no character set; the DICOM segmentation states ISO_IR 100 (Latin 1)');
  return [element(tags.SpecificCharacterSet, 'CS', 'ISO_IR 100'), ...copied];
}

function withoutPadding(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end--;
  return bytes.subarray(0, end);
}
