// Reads from the header of a native library which other libraries it asks the system for: ELF, PE and Mach-O, 64 bits,
// little-endian. With it, packing proves that a package is whole: whatever its files ask for is beside them or the
// system's. A delayed import of Windows is looked for only when it is called.
//
// Sources: System V ABI (ELF), Microsoft's PE format specification, Apple's mach-o/loader.h and mach-o/fat.h.

/**
 * @typedef {object} Imports
 * @property {'elf' | 'pe' | 'mach-o'} format
 * @property {string[]} needed  loaded with the library
 * @property {string[]} delayed  loaded on first use (Windows)
 */

const fatMagic = 0xcafebabe;
const machMagic = 0xfeedfacf;
const cpuTypes = { x64: 0x01000007, arm64: 0x0100000c };

/**
 * @param {Buffer} file
 * @returns {Imports}
 */
export function importsOf(file) {
  if (file.readUInt32BE(0) === 0x7f454c46) return { format: 'elf', needed: elfNeeded(file), delayed: [] };
  if (file.readUInt32LE(0) === machMagic) return { format: 'mach-o', needed: machNeeded(file), delayed: [] };
  if (file.toString('latin1', 0, 2) === 'MZ') return { format: 'pe', ...peImports(file) };
  throw new Error('neither ELF nor PE nor Mach-O of 64 bits');
}

/**
 * The part of a universal Mach-O file for one processor, byte for byte; its signature is within.
 * @param {Buffer} file
 * @param {'x64' | 'arm64'} cpu
 * @returns {Buffer}
 */
export function thin(file, cpu) {
  if (file.readUInt32BE(0) !== fatMagic) return file;
  const count = file.readUInt32BE(4);
  for (let i = 0; i < count; i++) {
    const at = 8 + 20 * i;
    if (file.readUInt32BE(at) !== cpuTypes[cpu]) continue;
    const offset = file.readUInt32BE(at + 8);
    return file.subarray(offset, offset + file.readUInt32BE(at + 12));
  }
  throw new Error(`the universal file has no part for ${cpu}`);
}

/** @param {Buffer} file */
function elfNeeded(file) {
  const headers = Number(file.readBigUInt64LE(32));
  const size = file.readUInt16LE(54);
  const segments = Array.from({ length: file.readUInt16LE(56) }, (_, i) => {
    const at = headers + i * size;
    const number = (/** @type {number} */ offset) => Number(file.readBigUInt64LE(at + offset));
    return { type: file.readUInt32LE(at), offset: number(8), address: number(16), bytes: number(32) };
  });
  const load = 1;
  const dynamic = segments.find(({ type }) => type === 2);
  if (!dynamic) return [];
  /** @type {number[]} */
  const names = [];
  let strings = 0;
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.bytes; at += 16) {
    const tag = Number(file.readBigInt64LE(at));
    const value = Number(file.readBigUInt64LE(at + 8));
    if (tag === 0) break;
    if (tag === 1) names.push(value);
    if (tag === 5) strings = value;
  }
  const table = segments.find((s) => s.type === load && strings >= s.address && strings < s.address + s.bytes);
  if (!table) throw new Error('the string table lies in no segment');
  return names.map((name) => text(file, table.offset + strings - table.address + name));
}

/** @param {Buffer} file */
function machNeeded(file) {
  // LC_LOAD_DYLIB and its weak, re-exported and upward forms.
  const loads = new Set([0x0c, 0x80000018, 0x8000001f, 0x80000023]);
  const needed = [];
  let at = 32;
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    if (loads.has(file.readUInt32LE(at))) needed.push(text(file, at + file.readUInt32LE(at + 8)));
    at += file.readUInt32LE(at + 4);
  }
  return needed;
}

/** @param {Buffer} file */
function peImports(file) {
  const pe = file.readUInt32LE(0x3c);
  const optional = pe + 24;
  if (file.readUInt16LE(optional) !== 0x20b) throw new Error('a PE file of 32 bits');
  const sectionsAt = optional + file.readUInt16LE(pe + 20);
  const sections = Array.from({ length: file.readUInt16LE(pe + 6) }, (_, i) => {
    const at = sectionsAt + 40 * i;
    return {
      address: file.readUInt32LE(at + 12),
      bytes: file.readUInt32LE(at + 16),
      offset: file.readUInt32LE(at + 20),
    };
  });
  const place = (/** @type {number} */ address) => {
    const section = sections.find((s) => address >= s.address && address < s.address + s.bytes);
    if (!section) throw new Error('an address lies in no section');
    return section.offset + address - section.address;
  };
  /** Names in a table of records that ends with an empty one. */
  const names = (/** @type {number} */ directory, /** @type {number} */ record, /** @type {number} */ nameAt) => {
    const address = file.readUInt32LE(optional + 112 + 8 * directory);
    /** @type {string[]} */
    const found = [];
    if (address === 0) return found;
    for (let at = place(address); file.readUInt32LE(at + nameAt) !== 0; at += record) {
      found.push(text(file, place(file.readUInt32LE(at + nameAt))));
    }
    return found;
  };
  return { needed: names(1, 20, 12), delayed: names(13, 32, 4) };
}

/**
 * @param {Buffer} file
 * @param {number} at
 */
function text(file, at) {
  return file.toString('latin1', at, file.indexOf(0, at));
}
