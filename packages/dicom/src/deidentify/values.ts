/** Whether a value has the form of its representation (PS3.5, table 6.2-1), so that no free text hides where none belongs. */
import { Buffer } from 'node:buffer';

const numberText = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

const textForms: Readonly<Record<string, RegExp>> = {
  DS: numberText,
  IS: numberText,
  CS: /^[A-Z0-9_ ]{0,16}$/,
  AS: /^\d{3}[DWMY]$/,
};

/** Bytes of one value of a binary representation. */
const unitBytes: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  UL: 4,
  SL: 4,
  FL: 4,
  FD: 8,
  AT: 4,
  OB: 1,
  OW: 2,
  OF: 4,
  OD: 8,
  OL: 4,
  OV: 8,
  UV: 8,
  SV: 8,
};

/** Implicit files do not say that a name stands where numbers belong; no number that is used consists of letters. */
const wholeNumbers: ReadonlySet<string> = new Set(['US', 'SS', 'UL', 'SL', 'AT']);
const letters = /^[A-Za-z^ .,'-]+$/;

export const freeText: ReadonlySet<string> = new Set(['LO', 'SH', 'ST', 'LT', 'UT', 'UC', 'PN', 'AE', 'UR']);

/** Representations that files confuse and that look alike. */
const alike: readonly ReadonlySet<string>[] = [freeText, new Set(['DS', 'IS']), new Set(['OB', 'OW'])];

/**
 * The representation to write a value with; undefined where the stated one contradicts those that it may have.
 * @param stated 'UN' where the file does not say
 */
export function agreedVr(stated: string, possible: readonly string[]): string | undefined {
  if (stated === 'UN') return possible[0];
  if (possible.includes(stated)) return stated;
  return alike.some((set) => set.has(stated) && possible.some((vr) => set.has(vr))) ? stated : undefined;
}

/** Bytes as text without padding: equal bytes are equal characters, in every character set. */
export function latin1(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end--;
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1');
}

/** The values of a text without padding. */
export const valuesOf = (text: string): string[] => text.split('\\').map((value) => value.trim());

/**
 * The value, as far as it has the form of `vr`; undefined where it has not. Of several terms (CS) those that have not
 * are emptied; free text and UIDs have no form that would matter.
 */
export function inForm(vr: string, bytes: Uint8Array): Uint8Array | undefined {
  const form = textForms[vr];
  if (form === undefined) {
    if (wholeNumbers.has(vr) && bytes.length >= 4 && letters.test(latin1(bytes.subarray(0, 64)))) return undefined;
    return bytes.length % (unitBytes[vr] ?? 1) === 0 ? bytes : undefined;
  }
  const values = valuesOf(latin1(bytes));
  const fits = (value: string): boolean => value === '' || form.test(value);
  if (values.every(fits)) return bytes;
  if (vr !== 'CS' || !values.some((value) => value !== '' && fits(value))) return undefined;
  return Buffer.from(values.map((value) => (fits(value) ? value : '')).join('\\'), 'latin1');
}
