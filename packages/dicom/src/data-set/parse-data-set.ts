/**
 * Parser of data elements (PS3.5, section 7), for files that nobody vouches for: every length is checked against the
 * bytes that are there, elements and nesting are counted (limits.ts), and it either returns or throws DicomError.
 *
 * Why our own: on a 16 MB file of empty elements dicom-parser takes 5 s and 800 MB and cannot be told to stop, and
 * dcmjs needs 1.7 s for a value of 4 MB below 24 sequences of undefined length and brings an install script.
 * The trap: sequences hide. In implicit files nothing marks them but their first item, a 'UN' of undefined length is
 * one in implicit encoding (PS3.5, 6.2.2), and lengths written by old software may be undefined or exact at any level.
 */
import type { DataSet, DicomElement, Fragment } from './data-set.js';
import { DicomError } from '../dicom-error.js';
import { dicomLimits } from '../limits.js';
import { tags, tagText } from './tags.js';

export interface ParseOptions {
  /** Name of the file, for messages. */
  readonly path: string;
  readonly implicit: boolean;
  readonly bigEndian: boolean;
  /** Stop before the value of the pixel data, whose offset and length are recorded. */
  readonly headerOnly?: boolean;
  /** Stop before the first element whose group is not this one. */
  readonly group?: number;
  /** Of a damaged data set, give the elements before the damage instead of an error. */
  readonly partial?: boolean;
}

export interface ParsedDataSet extends DataSet {
  /** Offset of the first byte after what was parsed. */
  readonly end: number;
}

const undefinedLength = 0xffffffff;
const itemTag = 0xfffee000;
const itemEnd = 0xfffee00d;
const sequenceEnd = 0xfffee0dd;
/** Value representations with 32-bit lengths (PS3.5, table 7.1-1). */
const longForms = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);

interface State {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly options: ParseOptions;
  at: number;
  count: number;
}

/** Parses elements from `start` to the end of the bytes. Throws DicomError `damaged`, `truncated` or `limit`. */
export function parseDataSet(bytes: Uint8Array, start: number, options: ParseOptions): ParsedDataSet {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const state: State = { bytes, view, options, at: start, count: 0 };
  const elements = new Map<number, DicomElement>();
  try {
    readElements(state, bytes.length, { implicit: options.implicit, depth: 0, delimited: false }, elements);
  } catch (error) {
    if (!(error instanceof DicomError && options.partial === true)) throw error;
  }
  return { bytes, bigEndian: options.bigEndian, elements, end: state.at };
}

interface Level {
  readonly implicit: boolean;
  readonly depth: number;
  /** Ends at an item delimiter rather than at `end`. */
  readonly delimited: boolean;
}

/** @param elements filled as they are read */
function readElements(state: State, end: number, level: Level, elements: Map<number, DicomElement>): void {
  const { options } = state;
  while (state.at < end) {
    // Some writers pad the file with zeros, or with a byte, after the last element.
    if (level.depth === 0 && end - state.at < 8) break;
    const tag = readTag(state, end);
    if (options.group !== undefined && tag >>> 16 !== options.group) {
      state.at -= 4;
      break;
    }
    if (tag === itemEnd && level.delimited) {
      state.at += 4;
      return;
    }
    if (tag >>> 16 === 0xfffe) throw damaged(state, `unexpected delimiter ${tagText(tag)} at byte ${state.at - 4}`);
    if (level.depth === 0 && tag === 0) break;
    if (++state.count > dicomLimits.elements) {
      throw new DicomError(options.path, 'limit', `more than ${dicomLimits.elements} elements; not a real file`);
    }
    const { vr, length } = readVrAndLength(state, end, level.implicit);
    if (tag === tags.PixelData && level.depth === 0 && options.headerOnly === true) {
      elements.set(tag, { vr, offset: state.at, length });
      return;
    }
    elements.set(tag, readValue(state, end, { tag, vr, length, level }));
  }
  if (level.delimited) throw cut(state, 'an item has no end');
}

function readValue(
  state: State,
  end: number,
  { tag, vr, length, level }: { tag: number; vr: string; length: number; level: Level },
): DicomElement {
  const offset = state.at;
  if (tag === tags.PixelData && length === undefinedLength) {
    const fragments = readFragments(state, end);
    return { vr, offset, length: state.at - offset, fragments };
  }
  // 'UN' of undefined length is a sequence in implicit encoding, whatever surrounds it.
  const implicit = level.implicit || (vr === 'UN' && length === undefinedLength);
  if (vr === 'SQ' || length === undefinedLength || (level.implicit && looksLikeSequence(state, length))) {
    if (level.depth >= dicomLimits.depth) {
      throw new DicomError(state.options.path, 'limit', `sequences nest deeper than ${dicomLimits.depth} levels`);
    }
    const inner = { implicit, depth: level.depth + 1 };
    const items = readItems(state, length === undefinedLength ? undefined : checkEnd(state, length, { end, tag }), {
      ...inner,
      limit: end,
    });
    return { vr: 'SQ', offset, length: state.at - offset, items };
  }
  state.at = checkEnd(state, length, { end, tag });
  return { vr, offset, length };
}

function readItems(
  state: State,
  exactEnd: number | undefined,
  level: { implicit: boolean; depth: number; limit: number },
): DataSet[] {
  const { bytes, options } = state;
  const end = exactEnd ?? level.limit;
  const found: DataSet[] = [];
  while (state.at < end) {
    const tag = readTag(state, end);
    const length = readUint32(state, end);
    if (tag === sequenceEnd) return found;
    if (tag !== itemTag) throw damaged(state, `${tagText(tag)} at byte ${state.at - 8} where an item was expected`);
    if (++state.count > dicomLimits.elements) {
      throw new DicomError(options.path, 'limit', `more than ${dicomLimits.elements} elements; not a real file`);
    }
    const delimited = length === undefinedLength;
    const itemLimit = delimited ? end : checkEnd(state, length, { end, tag });
    const elements = new Map<number, DicomElement>();
    readElements(state, itemLimit, { implicit: level.implicit, depth: level.depth, delimited }, elements);
    found.push({ bytes, bigEndian: options.bigEndian, elements });
  }
  if (exactEnd === undefined) throw cut(state, 'a sequence has no end');
  return found;
}

function readFragments(state: State, end: number): Fragment[] {
  const fragments: Fragment[] = [];
  while (state.at < end) {
    const tag = readTag(state, end);
    const length = readUint32(state, end);
    if (tag === sequenceEnd) return fragments;
    if (tag !== itemTag) throw damaged(state, `${tagText(tag)} at byte ${state.at - 8} where a fragment was expected`);
    if (++state.count > dicomLimits.elements) {
      throw new DicomError(state.options.path, 'limit', `more than ${dicomLimits.elements} fragments; not a real file`);
    }
    const offset = state.at;
    state.at = checkEnd(state, length, { end, tag: tags.PixelData });
    fragments.push({ offset, length });
  }
  // Without a delimiter the last frame may be cut; its decoder would have to guess.
  throw cut(state, 'the pixel data has no end');
}

/** In implicit files only the first item tells a sequence. */
function looksLikeSequence(state: State, length: number): boolean {
  const { view, at, bytes } = state;
  return length >= 8 && at + 8 <= bytes.length && view.getUint32(at, true) === 0xe000fffe;
}

function readTag(state: State, end: number): number {
  if (state.at + 4 > end) throw cut(state, `ends inside an element at byte ${state.at}`);
  const { view, options } = state;
  const group = view.getUint16(state.at, !options.bigEndian);
  const element = view.getUint16(state.at + 2, !options.bigEndian);
  state.at += 4;
  return ((group << 16) | element) >>> 0;
}

function readUint32(state: State, end: number): number {
  if (state.at + 4 > end) throw cut(state, `ends inside an element at byte ${state.at}`);
  const value = state.view.getUint32(state.at, !state.options.bigEndian);
  state.at += 4;
  return value;
}

function readVrAndLength(state: State, end: number, implicit: boolean): { vr: string; length: number } {
  if (implicit) return { vr: 'UN', length: readUint32(state, end) };
  const { bytes, view, options } = state;
  if (state.at + 4 > end) throw cut(state, `ends inside an element at byte ${state.at}`);
  const vr = String.fromCharCode(bytes[state.at], bytes[state.at + 1]);
  if (!/^[A-Z]{2}$/.test(vr)) {
    throw damaged(state, `byte ${state.at} should hold a value representation such as 'US'`);
  }
  if (longForms.has(vr)) {
    state.at += 4;
    return { vr, length: readUint32(state, end) };
  }
  const length = view.getUint16(state.at + 2, !options.bigEndian);
  state.at += 4;
  return { vr, length };
}

/** End of a value of this length; refuses one beyond its surroundings. */
function checkEnd(state: State, length: number, { end, tag }: { end: number; tag: number }): number {
  const after = state.at + length;
  if (after <= end) return after;
  const problem = `${tagText(tag)} at byte ${state.at} promises ${length} bytes; ${end - state.at} are left`;
  throw end === state.bytes.length ? cut(state, problem) : damaged(state, problem);
}

function damaged({ options }: State, problem: string): DicomError {
  return new DicomError(options.path, 'damaged', `${problem}; the file is damaged`);
}

function cut({ options }: State, problem: string): DicomError {
  return new DicomError(options.path, 'truncated', `${problem}; the file is cut short or damaged`);
}
