/**
 * What a NRRD header says, checked: type, size, geometry, encoding and where the voxels are. Source: "Definition of NRRD
 * File Format", teem.sourceforge.net/nrrd/format.html, sections 5 to 8.
 *
 * Every number that decides how much memory is needed is checked here, before anything is allocated. Trap: axes of
 * colour or time stand anywhere in the list, also first, and only `kinds` and `none` directions tell.
 */
import type { Size3 } from '@quickcolumn/volume';
import { type NrrdGeometry, nrrdGeometry, parseVectors } from './affine.js';
import { NrrdError } from './error.js';
import { type NrrdFields, parseNrrdFields } from './fields.js';
import { type ScalarName, type ScalarType, scalarTypes } from '../voxels/scalars.js';
import type { HeaderAssumptions } from '../headers/assumptions.js';
import { parseNumbers, quoted } from '../headers/text-header.js';
import { numberedNames } from '../voxels/numbered-names.js';
import { mostDataFiles, type VoxelData, type VoxelEncoding } from '../voxels/voxel-data.js';

/** A NRRD header: the voxels' geometry in space, and the way to them. */
export interface NrrdHeader {
  readonly geometry: NrrdGeometry;
  readonly data: VoxelData;
  /** What was assumed, for people. */
  readonly notes: readonly string[];
  /** What the file is about, in words. */
  readonly content?: string;
}

const typeNames: Readonly<Record<ScalarName, readonly string[]>> = {
  int8: ['signed char', 'int8', 'int8_t'],
  uint8: ['uchar', 'unsigned char', 'uint8', 'uint8_t'],
  int16: ['short', 'short int', 'signed short', 'signed short int', 'int16', 'int16_t'],
  uint16: ['ushort', 'unsigned short', 'unsigned short int', 'uint16', 'uint16_t'],
  int32: ['int', 'signed int', 'int32', 'int32_t'],
  uint32: ['uint', 'unsigned int', 'uint32', 'uint32_t'],
  int64: ['longlong', 'long long', 'long long int', 'signed long long', 'signed long long int', 'int64', 'int64_t'],
  uint64: ['ulonglong', 'unsigned long long', 'unsigned long long int', 'uint64', 'uint64_t'],
  float32: ['float'],
  float64: ['double'],
};
const types = new Map(
  Object.entries(typeNames).flatMap(([scalar, names]) =>
    names.map((name) => [name, scalarTypes[scalar as ScalarName]]),
  ),
);

const encodings = new Map<string, VoxelEncoding>([
  ['raw', 'raw'],
  ['txt', 'text'],
  ['text', 'text'],
  ['ascii', 'text'],
  ['hex', 'hex'],
  ['gz', 'gzip'],
  ['gzip', 'gzip'],
]);

/** Kinds of an axis that runs through space; everything else is colour, time, vectors or a list. */
const spatialKinds = new Set(['domain', 'space', 'none', '???']);

/**
 * Parses the text at the start of a .nrrd or .nhdr file. `name` stands in the messages. Throws NrrdError.
 */
export function parseNrrdHeader(text: string, name: string, assume: HeaderAssumptions = {}): NrrdHeader {
  const fields = parseNrrdFields(text, name);
  const { values } = fields;
  const required = (field: string, title: string): string => {
    const value = values.get(field);
    if (value === undefined) throw new NrrdError(name, title, 'is missing');
    return value;
  };
  const type = parseType(required('type', 'type'), name);
  const dimension = parseNumbers(required('dimension', 'dimension'), 1)?.[0] ?? 0;
  if (!(Number.isInteger(dimension) && dimension >= 1 && dimension <= 16)) {
    throw new NrrdError(name, 'dimension', `${quoted(values.get('dimension') ?? '')}; expected a number from 1 to 16`);
  }
  const sizes = parseSizes(required('sizes', 'sizes'), dimension, name);
  const directionText = values.get('spacedirections');
  const directions = directionText === undefined ? undefined : parseVectors(directionText, 'space directions', name);
  const perAxis = <T>(list: readonly T[] | undefined, title: string): readonly T[] | undefined => {
    if (list === undefined || list.length === dimension) return list;
    throw new NrrdError(name, title, `${list.length} entries for ${dimension} axes`);
  };
  perAxis(directions, 'space directions');
  const kinds = perAxis(values.get('kinds')?.split(/\s+/), 'kinds');
  const spacings = perAxis(values.get('spacings')?.split(/\s+/), 'spacings');
  const axes = spatialAxes(sizes, kinds, directions, name);
  const pick = <T>(list: readonly T[] | undefined): T[] | undefined => list && axes.map((axis) => list[axis]);
  const [nx, ny, nz] = axes.map((axis) => sizes[axis]);
  const { geometry, notes } = nrrdGeometry(
    {
      space: values.get('space'),
      spaceDimension: values.get('spacedimension'),
      spaceUnits: values.get('spaceunits'),
      spaceOrigin: values.get('spaceorigin'),
      axisMins: values.get('axismins'),
      directions: pick(directions),
      spacings: pick(spacings),
    },
    name,
    assume,
  );
  const content = values.get('content');
  return {
    geometry,
    notes,
    data: voxelData(fields, type, [nx, ny, nz], name),
    ...(content !== undefined && { content }),
  };
}

function voxelData(fields: NrrdFields, type: ScalarType, size: Size3, name: string): VoxelData {
  const { values } = fields;
  const encoding = parseEncoding(values.get('encoding'), name);
  const skip = (field: string, title: string, lowest: number): number => {
    const text = values.get(field);
    if (text === undefined) return 0;
    const value = parseNumbers(text, 1)?.[0] ?? Number.NaN;
    if (Number.isSafeInteger(value) && value >= lowest) return value;
    throw new NrrdError(name, title, `${quoted(text)}; expected a whole number of at least ${lowest}`);
  };
  if ((encoding === 'text' || encoding === 'hex') && values.has('byteskip')) {
    throw new NrrdError(name, 'byte skip', `of ${encoding}; expected it with raw or gzip alone`);
  }
  const files = fields.listed ?? dataFiles(values.get('datafile'), name);
  if (files === undefined && !fields.closed) {
    throw new NrrdError(name, 'header', 'no blank line ends it and no data file is named; the file is cut short');
  }
  return {
    size,
    type,
    littleEndian: parseEndian(values.get('endian'), { type, encoding, name }),
    encoding,
    ...(files && { files }),
    start: fields.bytes,
    skipLines: skip('lineskip', 'line skip', 0),
    // −1 finds raw voxels from the end of the file; compressed ones have no known length.
    skipBytes: skip('byteskip', 'byte skip', encoding === 'raw' ? -1 : 0),
  };
}

/** Indices of the three axes of space; further axes of size 1 are left out, as NIfTI's readers do. */
function spatialAxes(
  sizes: readonly number[],
  kinds: readonly string[] | undefined,
  directions: readonly (readonly number[] | undefined)[] | undefined,
  name: string,
): readonly number[] {
  const shape = sizes.join('×');
  const isSpatial = (axis: number): boolean =>
    spatialKinds.has(kinds?.[axis].toLowerCase() ?? 'domain') &&
    (directions === undefined || directions[axis] !== undefined);
  const all = sizes.map((_, axis) => axis);
  const spatial = all.filter(isSpatial);
  // Without kinds and directions the axes of space come first.
  const kept = spatial.length > 3 ? spatial.filter((axis, at) => at < 3 || sizes[axis] > 1) : spatial;
  const lost = all.filter((axis) => !kept.includes(axis) && sizes[axis] > 1);
  if (lost.length > 0) {
    const [axis] = lost;
    const kind = kinds?.[axis] ?? 'none';
    throw new NrrdError(
      name,
      kinds === undefined ? 'space directions' : 'kinds',
      `axis ${axis} of ${shape} is '${kind}', not of space; expected one value a voxel of a 3D volume`,
    );
  }
  if (kept.length !== 3) {
    throw new NrrdError(name, 'dimension', `${kept.length} axes of space (${shape}); expected one 3D volume`);
  }
  return kept;
}

function parseType(text: string, name: string): ScalarType {
  const type = types.get(text.toLowerCase().replaceAll(/\s+/g, ' '));
  if (type !== undefined) return type;
  throw new NrrdError(name, 'type', `${quoted(text)} is not supported; expected an integer type, float or double`);
}

function parseSizes(text: string, count: number, name: string): number[] {
  const sizes = parseNumbers(text, count);
  if (sizes?.every((size) => Number.isSafeInteger(size) && size >= 1)) return sizes;
  throw new NrrdError(name, 'sizes', `${quoted(text)}; expected ${count} whole numbers of at least 1`);
}

function parseEncoding(text: string | undefined, name: string): VoxelEncoding {
  if (text === undefined) throw new NrrdError(name, 'encoding', 'is missing');
  const encoding = encodings.get(text.toLowerCase());
  if (encoding !== undefined) return encoding;
  const advice = /^bz(ip)?2$/i.test(text) ? 'bzip2 is not supported; convert it to gzip or raw' : 'not known';
  throw new NrrdError(name, 'encoding', `${quoted(text)}: ${advice}; expected raw, gzip, text or hex`);
}

function parseEndian(
  text: string | undefined,
  about: { type: ScalarType; encoding: VoxelEncoding; name: string },
): boolean {
  if (text === undefined) {
    if (about.type.bytes === 1 || about.encoding === 'text') return true;
    throw new NrrdError(about.name, 'endian', `is missing; voxels of ${about.type.name} need it`);
  }
  if (/^(little|big)$/i.test(text)) return text.toLowerCase() === 'little';
  throw new NrrdError(about.name, 'endian', `${quoted(text)}; expected little or big`);
}

/** `NAME`, or `FORMAT MIN MAX STEP [SUBDIM]` with one %d for a numbered series. */
function dataFiles(text: string | undefined, name: string): string[] | undefined {
  if (text === undefined) return undefined;
  // No path is longer; the pattern below takes the square of its length on blanks.
  if (text.length > 4096) throw new NrrdError(name, 'data file', `${quoted(text)} is too long for the name of a file`);
  const series = /^(.+)\s+(-?\d+)\s+(-?\d+)\s+(-?\d+)(\s+\d+)?$/.exec(text);
  if (series === null || !series[1].includes('%')) return [text];
  const [from, to, step] = series.slice(2, 5).map(Number);
  const names = numberedNames(series[1], { from, to, step });
  if (names !== undefined) return names;
  throw new NrrdError(
    name,
    'data file',
    `${quoted(text)}; expected FORMAT MIN MAX STEP of 1 to ${mostDataFiles} files`,
  );
}
