/**
 * The elements of a data set one by one: kept, emptied, replaced or removed as their rule says. What should stay but has not
 * the form that it should have, or tells the patient, is treated as if it should not.
 */
import { type DataSet, decimal, type DicomElement, int16, text } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';
import { element, type WriteElement } from '../data-set/write-data-set.js';
import { dummyTemporal, shiftTemporal } from './dates.js';
import { newCodeOf, newUidOf } from './identifiers.js';
import { type Action, type KeptInformation, type Rule, ruleOf } from './rules.js';
import { holdsDate, tells, textOf, type Traces } from './traces.js';
import { agreedVr, freeText, inForm, valuesOf } from './values.js';

/** Dates removed, shifted back by the same number of days for all of a patient, or kept. */
export type DateHandling = 'remove' | 'shift' | 'keep';
export const dateHandlings: readonly DateHandling[] = ['remove', 'shift', 'keep'];

/** What one file is treated with. */
export interface Work {
  readonly key: Uint8Array;
  readonly kept: ReadonlySet<KeptInformation>;
  readonly dates: DateHandling;
  /** Days by which dates go back. */
  readonly days: number;
  readonly patientId: string;
  readonly multiFrame: boolean;
  readonly traces: Traces;
}

const codeTags: ReadonlySet<number> = new Set([
  tags.CodeValue,
  tags.CodingSchemeDesignator,
  tags.CodeMeaning,
  tags.LongCodeValue,
]);

const numbering: ReadonlySet<number> = new Set([tags.SeriesNumber, tags.AcquisitionNumber]);
const nowhere: ReadonlySet<string> = new Set();

/** Public coding schemes (PS3.16, table 8-1) that images use; codes of others may be anything. */
const publicSchemes: ReadonlySet<string> = new Set(
  'DCM SCT SRT SNM3 LN UCUM FMA RADLEX RadLex NCIt UMLS MSH I9 I10 ICDO3 NDC RXNORM RadElement BARI ISO639_2 ISO3166_1'.split(
    ' ',
  ),
);

function isPrivateCode(set: DataSet): boolean {
  return !publicSchemes.has(text(set, tags.CodingSchemeDesignator) ?? '');
}

export function newUid(uid: string, { key, kept }: Work): string {
  return kept.has('uids') && /^[\d.]+$/.test(uid) ? uid : newUidOf(key, uid);
}

/** The elements of a data set that stay, and what stands in place of others. */
export function treatSet(set: DataSet, work: Work): WriteElement[] {
  const written: WriteElement[] = [];
  for (const [tag, found] of set.elements) {
    const rule = ruleOf(tag);
    const treated = rule && treatElement({ tag, found, rule, set }, work);
    if (treated !== undefined) written.push(treated);
  }
  return written;
}

interface Place {
  readonly tag: number;
  readonly found: DicomElement;
  readonly rule: Rule;
  readonly set: DataSet;
}

function treatElement(place: Place, work: Work): WriteElement | undefined {
  const { tag, found, rule, set } = place;
  const vr = agreedVr(found.items === undefined ? found.vr : 'SQ', rule.vrs);
  const stays = rule.action === 'K' || (rule.option !== undefined && isKept(rule.option, work));
  if (vr === undefined) return replaced(place, rule.vrs[0], work);
  if (vr === 'SQ') {
    if (!stays || (found.items === undefined && found.length > 0)) return replaced(place, vr, work);
    return element(
      tag,
      vr,
      (found.items ?? []).map((item) => treatSet(item, work)),
    );
  }
  const bytes = set.bytes.subarray(found.offset, found.offset + found.length);
  if (found.fragments !== undefined) return { ...element(tag, vr, bytes), undefinedLength: true };
  if (rule.action === 'U') {
    const uids = valuesOf(textOf(set, found)).map((uid) => newUid(uid, work));
    return element(tag, vr, uids.join('\\'));
  }
  const value = stays ? keptValue(place, vr, { bytes, work }) : undefined;
  return value === undefined ? replaced(place, vr, work) : element(tag, vr, value);
}

function isKept(option: NonNullable<Rule['option']>, { kept, dates }: Work): boolean {
  return option === 'dates' ? dates !== 'remove' : kept.has(option);
}

/** A value that may stay, if it is harmless; undefined where it has not the form it should have, or tells the patient. */
function keptValue(
  { tag, found, rule, set }: Place,
  vr: string,
  { bytes, work }: { readonly bytes: Uint8Array; readonly work: Work },
): Uint8Array | string | undefined {
  if (found.length === 0) return bytes;
  const usual = rule.vrs.includes(vr) ? vr : rule.vrs[0];
  const isText = freeText.has(usual) || rule.option === 'descriptors';
  if (rule.option === 'dates' && usual in dummyTemporal) {
    const shifted = valuesOf(textOf(set, found)).map((value) =>
      value === '' ? '' : shiftTemporal(usual, value, work.days),
    );
    return shifted.includes(undefined) ? undefined : shifted.join('\\');
  }
  if (!isText) {
    // Numbers of series are made of accession numbers here and there.
    return numbering.has(tag) && work.traces.words.has(textOf(set, found)) ? undefined : inForm(usual, bytes);
  }
  const value = textOf(set, found);
  const isCode = codeTags.has(tag) && tag !== tags.CodingSchemeDesignator;
  if (isCode && isPrivateCode(set) && !work.kept.has('descriptors')) {
    return tag === tags.CodeMeaning ? 'private code' : newCodeOf(work.key, value);
  }
  const dated = rule.option === 'descriptors' && work.dates !== 'keep' && holdsDate(value);
  const traces = rule.option === 'institution' ? { ...work.traces, places: nowhere } : work.traces;
  return dated || tells(value, traces) ? undefined : bytes;
}

/** What stands in place of a value that does not stay; undefined for nothing. */
function replaced({ tag, rule, set }: Place, vr: string, { multiFrame, patientId }: Work): WriteElement | undefined {
  const inEither: Partial<Record<Action, Action>> = { 'X/D': multiFrame ? 'D' : 'X', 'Z/D': multiFrame ? 'D' : 'Z' };
  const action = inEither[rule.action] ?? rule.action;
  if (vr === 'SQ') return action === 'Z' ? element(tag, vr, []) : undefined;
  if (action === 'Z') return element(tag, vr, '');
  // What was to stay and tells the patient: codes and multi-frame objects must have a text, others may have it empty.
  if (action === 'K' && freeText.has(vr)) return element(tag, vr, codeTags.has(tag) || multiFrame ? removed : '');
  if (numbering.has(tag)) return element(tag, vr, '');
  if (action !== 'D') return undefined;
  return element(tag, vr, dummyTemporal[vr] ?? dummyText(tag, set, patientId));
}

const removed = 'REMOVED';

function dummyText(tag: number, set: DataSet, patientId: string): string {
  if (tag === tags.PatientID || tag === tags.PatientName) return patientId;
  // Regions keep names that tell them apart.
  if (tag === tags.SegmentLabel) return `Segment ${int16(set, tags.SegmentNumber) ?? ''}`.trim();
  if (tag === tags.ROIName) return `ROI ${decimal(set, tags.ROINumber) ?? ''}`.trim();
  return removed;
}
