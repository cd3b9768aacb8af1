/**
 * Words that tell whose file it is (names, identifiers, institutions), to find them in texts that stay: a model name seldom
 * holds one, a description does (PS3.15, E.3.5, cleaning of descriptors).
 */
import type { DataSet, DicomElement } from '../data-set/data-set.js';
import { ruleOf } from './rules.js';
import { latin1 } from './values.js';

/** Attributes with identifiers and with names of places; names of persons are known by their representation. */
const identifiers: ReadonlySet<number> = new Set([
  0x00080050, 0x00100020, 0x00101000, 0x00102154, 0x00200010, 0x00380010, 0x00401001, 0x00402016, 0x00402017,
]);
const places: ReadonlySet<number> = new Set([0x00080080, 0x00080081, 0x00081040, 0x00101040]);

const separators = /[\s^=\\,;:./_()-]+/;
const dateLike = /(^|\D)(\d{4}([-./]?)\d{2}\3\d{2}|\d{1,2}([-./])\d{1,2}\4\d{2,4})(\D|$)/;

/** The whole text of an element. */
export function textOf({ bytes }: DataSet, { offset, length }: DicomElement): string {
  return latin1(bytes.subarray(offset, offset + length));
}

export interface Traces {
  readonly words: Set<string>;
  readonly places: Set<string>;
}

/** What identifies in a data set and all below it. */
export function tracesOf(set: DataSet, found: Traces = { words: new Set(), places: new Set() }): Traces {
  for (const [tag, element] of set.elements) {
    for (const item of element.items ?? []) tracesOf(item, found);
    if (element.items !== undefined) continue;
    const isName = element.vr === 'PN' || ruleOf(tag)?.vrs[0] === 'PN';
    if (isName || identifiers.has(tag)) {
      for (const word of textOf(set, element).toLowerCase().split(separators)) {
        // Short numbers and initials are everywhere.
        if (word.length >= (/^\d+$/.test(word) ? 4 : 3)) found.words.add(word);
      }
    } else if (places.has(tag)) {
      const place = textOf(set, element).toLowerCase().trim();
      if (place.length >= 3) found.places.add(place);
    }
  }
  return found;
}

/** Whether a text holds one of them; parts of longer words count from five characters on. */
export function tells(text: string, { words, places: names }: Traces): boolean {
  const lower = text.toLowerCase();
  if (lower.split(separators).some((word) => words.has(word))) return true;
  return [...names].some((name) => lower.includes(name)) || [...words].some((w) => w.length >= 5 && lower.includes(w));
}

/** Whether a text seems to hold a date. */
export function holdsDate(text: string): boolean {
  return dateLike.test(text);
}
