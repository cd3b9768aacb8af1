/**
 * Words that tell whose file it is (names, identifiers, institutions), to find them in texts that stay: a model name seldom
 * holds one, a description does (PS3.15, E.3.5, cleaning of descriptors).
 */
import { type DataSet, type DicomElement, text } from '../data-set/data-set.js';
import { tags } from '../data-set/tags.js';
import { ruleOf } from './rules.js';
import { latin1 } from './values.js';

/** Attributes with identifiers and with names of places; names of persons are known by their representation. */
const identifiers: ReadonlySet<number> = new Set([
  0x00080050, 0x00100020, 0x00101000, 0x00102154, 0x00200010, 0x00380010, 0x00401001, 0x00402016, 0x00402017,
]);
const placeTags: ReadonlySet<number> = new Set([0x00080080, 0x00080081, 0x00081040, 0x00101040]);

const separators = /[\s^=\\,;:./_()-]+/;
const dateLike = /(^|\D)(\d{4}([-./]?)\d{2}\3\d{2}|\d{1,2}([-./])\d{1,2}\4\d{2,4})(\D|$)/;

/** The whole text of an element. */
export function textOf({ bytes }: DataSet, { offset, length }: DicomElement): string {
  return latin1(bytes.subarray(offset, offset + length));
}

export interface Traces {
  readonly words: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
}

/** What identifies in a data set and all below it. */
export function tracesOf(dataSet: DataSet): Traces {
  const [words, names] = [new Set<string>(), new Set<string>()];
  addTraces(dataSet, words, names);
  return { words, places: names };
}

function addTraces(set: DataSet, words: Set<string>, names: Set<string>): void {
  for (const [tag, element] of set.elements) {
    for (const item of element.items ?? []) addTraces(item, words, names);
    if (element.items !== undefined) continue;
    const value = textOf(set, element).toLowerCase().trim();
    if (isIdentifier(tag, element, set)) {
      for (const word of value.split(separators)) {
        // Short numbers and initials are everywhere.
        if (word.length >= (/^\d+$/.test(word) ? 4 : 3)) words.add(word);
      }
    } else if (placeTags.has(tag) && value.length >= 3) names.add(value);
  }
}

function isIdentifier(tag: number, element: DicomElement, set: DataSet): boolean {
  // Programs that write segmentations name themselves as maker and as author.
  if (tag === tags.ContentCreatorName && textOf(set, element) === text(set, tags.Manufacturer)) return false;
  return identifiers.has(tag) || element.vr === 'PN' || ruleOf(tag)?.vrs[0] === 'PN';
}

/** Whether a text holds one of them; parts of longer words count from five characters on. */
export function tells(value: string, { words, places: names }: Traces): boolean {
  const lower = value.toLowerCase();
  if (lower.split(separators).some((word) => words.has(word))) return true;
  return [...names].some((name) => lower.includes(name)) || [...words].some((w) => w.length >= 5 && lower.includes(w));
}

/** Whether a text seems to hold a date. */
export function holdsDate(value: string): boolean {
  return dateLike.test(value);
}
