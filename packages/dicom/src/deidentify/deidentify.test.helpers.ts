/** Files full of what tells a patient: every attribute of the standard's table, and what the table does not name. */
import { Buffer } from 'node:buffer';
import { tags } from '../data-set/tags.js';
import { element, type WriteElement } from '../data-set/write-data-set.js';
import { ctSlice, type SliceOptions } from '../dicom.test.helpers.js';
import { profileTable } from './profile-table.js';

/** A value of every representation that tells somebody. */
const secrets: Readonly<Record<string, string>> = {
  PN: 'Secret^Patient',
  DA: '19991231',
  TM: '235958.77',
  DT: '19991231235958.77',
  UI: '1.2.999.4711.1',
  AS: '077Y',
  DS: '77.7777',
  IS: '777777',
  CS: 'SECRETCS',
  AE: 'SECRETAE',
};
const secretText = 'Secret Hospital';
export const told: RegExp = /secret|4711|19991231|235958|1\.2\.999|077Y|77\.7777|777777/i;

/** Every attribute of the standard's table that is removed or replaced, in a form that files can have. */
const identifying: readonly WriteElement[] = profileTable
  .trim()
  .split('\n')
  .flatMap((row): WriteElement[] => {
    const [tagText, vr, action] = row.split(' ');
    const tag = Number.parseInt(tagText.replace(',', ''), 16);
    if (vr === 'SQ') return action === 'K' ? [] : [element(tag, vr, [[element(tags.CodeMeaning, 'LO', secretText)]])];
    if (vr === 'OB') return [element(tag, vr, Buffer.from('Secret'))];
    const value = tag === tags.PatientID ? 'P-4711' : (secrets[vr] ?? secretText);
    return vr === 'US' ? [] : [element(tag, vr, value)];
  });

/** What the table does not name: private groups, curves, overlays, unknown and retired attributes, descriptions. */
const unknown: readonly WriteElement[] = [
  element(0x00080001, 'UL', [4711]),
  element(0x000809f1, 'LO', 'Secret unknown'),
  element(0x00090010, 'LO', 'SECRET VENDOR'),
  element(0x00091001, 'UN', Buffer.from('Secret^Patient')),
  element(0x0010a001, 'LT', 'Secret'),
  element(0x00180029, 'SQ', [[element(tags.CodeMeaning, 'LO', 'Secret')]]),
  element(0x00190010, 'LO', 'SECRET VENDOR'),
  element(0x00191002, 'SQ', [[element(tags.PatientName, 'PN', 'Secret^Patient')]]),
  element(0x00204000, 'LT', 'Secret comment'),
  element(0x50000010, 'US', [1]),
  element(0x50003000, 'OW', Buffer.from('Secret')),
  element(0x60000010, 'US', [1]),
  element(0x60003000, 'OW', Buffer.from('Secret')),
  element(0xfffcfffc, 'OB', Buffer.from('Secret')),
];

/** Attributes that stay, with values that are not what they should be, or tell the patient. */
const misused: readonly WriteElement[] = [
  element(tags.Manufacturer, 'LO', 'Secret Patient Systems'),
  element(tags.ConvolutionKernel, 'SH', 'P-4711'),
  element(tags.BodyPartExamined, 'CS', 'Secret^Patient'),
  element(tags.KVP, 'DS', 'Secret'),
  element(0x00280106, 'LO', 'Secret'),
  element(tags.AnatomicRegionSequence, 'SQ', [
    [
      element(tags.CodeValue, 'SH', 'SECRET1'),
      element(tags.CodingSchemeDesignator, 'SH', '99SECRET'),
      element(tags.CodeMeaning, 'LO', 'Secret place'),
    ],
    [
      element(tags.CodeValue, 'SH', '51185008'),
      element(tags.CodingSchemeDesignator, 'SH', 'SCT'),
      element(tags.CodeMeaning, 'LO', 'Chest of Secret'),
    ],
  ]),
];

/** A slice with all of it, on top and in the items of a sequence that stays. */
export function tellingSlice(index: number, more: SliceOptions = {}): Uint8Array {
  const nested = [...identifying, ...unknown].filter(({ tag }) => tag >>> 16 !== 0xfffc);
  const image = (tag: number): WriteElement => element(tag, 'SQ', [nested]);
  const own = [tags.SOPInstanceUID, tags.StudyInstanceUID, tags.SeriesInstanceUID, tags.FrameOfReferenceUID];
  const top = [...identifying.filter(({ tag }) => !own.includes(tag as (typeof own)[number])), ...unknown, ...misused];
  return ctSlice(index, {
    ...more,
    more: [...top, image(tags.SourceImageSequence), ...(more.more ?? [])],
  });
}
