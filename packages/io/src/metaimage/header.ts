/**
 * What a MetaImage header says, checked. Source: "MetaIO/Documentation", itk.org/Wiki/MetaIO, and ITK's MetaImageIO,
 * whose reading is the one that programs agree on.
 *
 * Trap: `ElementDataFile` ends the header wherever it stands; what follows is voxels or names of files.
 */
import type { Size3 } from '@quickcolumn/volume';
import { MetaImageError } from './error.js';
import { type MetaImageGeometry, metaImageGeometry } from './geometry.js';
import { numberedNames } from '../voxels/numbered-names.js';
import { type ScalarName, type ScalarType, scalarTypes } from '../voxels/scalars.js';
import type { HeaderAssumptions } from '../headers/assumptions.js';
import { linesOf, parseNumbers, quoted } from '../headers/text-header.js';
import { mostDataFiles, type VoxelData } from '../voxels/voxel-data.js';

/** A MetaImage header: the voxels' geometry in space, and the way to them. */
export interface MetaImageHeader {
  readonly geometry: MetaImageGeometry;
  readonly data: VoxelData;
  /** What was assumed, for people. */
  readonly notes: readonly string[];
  /** What the file is about, in words. */
  readonly comment?: string;
}

// MET_LONG has 8 bytes where `long` has them (ITK on 64-bit Linux and macOS) and 4 elsewhere. With 8, the other files are
// too short and refused; with 4, half of these would be read as if nothing were wrong.
const typeNames: Readonly<Record<string, ScalarName>> = {
  MET_CHAR: 'int8',
  MET_ASCII_CHAR: 'int8',
  MET_UCHAR: 'uint8',
  MET_SHORT: 'int16',
  MET_USHORT: 'uint16',
  MET_INT: 'int32',
  MET_UINT: 'uint32',
  MET_LONG: 'int64',
  MET_ULONG: 'uint64',
  MET_LONG_LONG: 'int64',
  MET_ULONG_LONG: 'uint64',
  MET_FLOAT: 'float32',
  MET_DOUBLE: 'float64',
};

interface Fields {
  readonly values: ReadonlyMap<string, string>;
  readonly bytes: number;
  /** Lines after `ElementDataFile`: names of files when it is LIST. */
  readonly rest: string;
}

/**
 * How far the header is in the text read so far: `open` (read on), `list` (names of files follow to the end) or
 * `complete`. Line by line: one pattern over all of the text would take for ever on megabytes of blanks.
 */
export function metaImageHeaderState(text: string): 'open' | 'list' | 'complete' {
  for (const { line, next } of linesOf(text)) {
    const match = /^\s*ElementDataFile\s*[=:]\s*(LIST\b)?/i.exec(line);
    if (match === null || text[next - 1] !== '\n') continue;
    return match[1] === undefined ? 'complete' : 'list';
  }
  return 'open';
}

/** Parses the text at the start of a .mha or .mhd file. `name` stands in the messages. Throws MetaImageError. */
export function parseMetaImageHeader(text: string, name: string, assume: HeaderAssumptions = {}): MetaImageHeader {
  const fields = parseFields(text, name);
  const { values } = fields;
  refuseOthers(values, name);
  const sizeText = values.get('dimsize');
  const count = checkDimensions(values.get('ndims'), name);
  const sizes = sizeText === undefined ? undefined : parseNumbers(sizeText, count);
  if (sizes === undefined || !sizes.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    const came = sizeText === undefined ? 'is missing' : quoted(sizeText);
    throw new MetaImageError(name, 'DimSize', `${came}; expected ${count} whole numbers of at least 1`);
  }
  if (count < 3 || sizes.slice(3).some((size) => size !== 1)) {
    throw new MetaImageError(name, 'NDims', `a ${count}D image (${sizes.join('×')}); expected one 3D volume`);
  }
  const type = parseType(values, name);
  const comment = values.get('comment');
  const { geometry, notes } = metaImageGeometry(values, count, name, assume);
  return {
    geometry,
    notes,
    data: voxelData(fields, type, [sizes[0], sizes[1], sizes[2]], name),
    ...(comment !== undefined && { comment }),
  };
}

function parseFields(text: string, name: string): Fields {
  const values = new Map<string, string>();
  for (const { line, next } of linesOf(text)) {
    if (line.trim() === '') continue;
    // `=` everywhere but in some old files, which ITK reads too.
    const separator = line.includes('=') ? line.indexOf('=') : line.indexOf(':');
    if (separator < 0) {
      const problem = `${quoted(line)} is not KEY = VALUE: ${values.size === 0 ? 'not a MetaImage file' : 'the file is damaged'}`;
      throw new MetaImageError(name, 'header', problem);
    }
    const key = line.slice(0, separator).trim().toLowerCase();
    values.set(key, line.slice(separator + 1).trim());
    if (key === 'elementdatafile') return { values, bytes: next, rest: text.slice(next) };
  }
  throw new MetaImageError(name, 'ElementDataFile', 'is missing: not a MetaImage file, or its header is cut short');
}

/** What this reader would misread: other objects, colours, vectors, values that are not stored as they are. */
function refuseOthers(values: ReadonlyMap<string, string>, name: string): void {
  const object = values.get('objecttype');
  if (object !== undefined && object.toLowerCase() !== 'image') {
    throw new MetaImageError(name, 'ObjectType', `${quoted(object)}; expected Image`);
  }
  const channels = values.get('elementnumberofchannels') ?? '1';
  if (Number(channels) !== 1) {
    throw new MetaImageError(name, 'ElementNumberOfChannels', `${quoted(channels)}; expected one value a voxel`);
  }
  for (const [key, title, neutral] of [
    ['elementtointensityfunctionslope', 'ElementToIntensityFunctionSlope', 1],
    ['elementtointensityfunctionoffset', 'ElementToIntensityFunctionOffset', 0],
  ] as const) {
    const text = values.get(key);
    if (text === undefined || Number(text) === neutral) continue;
    // ITK leaves it out, MetaIO's own tools apply it: nobody can say what the file means.
    throw new MetaImageError(name, title, `${quoted(text)}; expected ${neutral}. Store the scaled values instead`);
  }
}

function checkDimensions(text: string | undefined, name: string): number {
  const count = Number(text ?? '');
  if (text !== undefined && Number.isInteger(count) && count >= 1 && count <= 10) return count;
  const came = text === undefined ? 'is missing' : quoted(text);
  throw new MetaImageError(name, 'NDims', `${came}; expected a number of axes from 1 to 10`);
}

function parseType(values: ReadonlyMap<string, string>, name: string): ScalarType {
  const text = values.get('elementtype');
  if (text === undefined) throw new MetaImageError(name, 'ElementType', 'is missing');
  const upper = text.toUpperCase();
  if (Object.hasOwn(typeNames, upper)) return scalarTypes[typeNames[upper]];
  throw new MetaImageError(name, 'ElementType', `${quoted(text)} is not supported; expected one real value a voxel`);
}

function voxelData(fields: Fields, type: ScalarType, size: Size3, name: string): VoxelData {
  const { values } = fields;
  const compressed = flag(values, ['compresseddata'], name) ?? false;
  const binary = flag(values, ['binarydata'], name) ?? true;
  const big = flag(values, ['elementbyteordermsb', 'binarydatabyteordermsb'], name);
  if (!binary && compressed) {
    throw new MetaImageError(name, 'CompressedData', 'of text (BinaryData = False); expected binary data');
  }
  const files = dataFiles(fields, name);
  const skip = Number(values.get('headersize') ?? 0);
  if (!(Number.isSafeInteger(skip) && skip >= -1)) {
    throw new MetaImageError(name, 'HeaderSize', `${quoted(values.get('headersize') ?? '')}; expected −1, 0 or more`);
  }
  if (skip !== 0 && (files === undefined || compressed || !binary)) {
    throw new MetaImageError(name, 'HeaderSize', `${skip}; expected 0, or raw voxels in a file of their own`);
  }
  const lengthText = values.get('compresseddatasize');
  const length = lengthText === undefined ? 0 : Number(lengthText);
  if (!(Number.isSafeInteger(length) && length >= 0)) {
    throw new MetaImageError(name, 'CompressedDataSize', `${quoted(lengthText ?? '')}; expected a number of bytes`);
  }
  return {
    size,
    type,
    littleEndian: !(big ?? false),
    encoding: compressed ? 'deflate' : binary ? 'raw' : 'text',
    ...(files && { files }),
    start: fields.bytes,
    // 0 is what writers leave that did not know it yet.
    ...(compressed && files === undefined && length > 0 && { length }),
    skipLines: 0,
    skipBytes: skip,
  };
}

function dataFiles({ values, rest }: Fields, name: string): readonly string[] | undefined {
  const text = values.get('elementdatafile') ?? '';
  if (/^local$/i.test(text)) return undefined;
  if (text === '') throw new MetaImageError(name, 'ElementDataFile', 'is empty; expected LOCAL or the name of a file');
  if (/^LIST(\s+\d+)?$/i.test(text)) {
    return [...linesOf(rest)].map(({ line }) => line.trim()).filter((line) => line !== '');
  }
  if (!text.includes('%')) return [text];
  const [format, ...numbers] = text.split(/\s+/);
  const [from, to, step = 1] = numbers.map(Number);
  const names = numberedNames(format, { from, to, step });
  if (names !== undefined) return names;
  throw new MetaImageError(
    name,
    'ElementDataFile',
    `${quoted(text)}; expected FORMAT MIN MAX STEP of 1 to ${mostDataFiles} files`,
  );
}

/** The first of the fields that is there as true or false. */
function flag(values: ReadonlyMap<string, string>, keys: readonly string[], name: string): boolean | undefined {
  for (const key of keys) {
    const text = values.get(key);
    if (text === undefined) continue;
    // MetaIO looks at the first letter alone.
    if (/^[t1]/i.test(text)) return true;
    if (/^[f0]/i.test(text)) return false;
    throw new MetaImageError(name, key, `${quoted(text)}; expected True or False`);
  }
  return undefined;
}
