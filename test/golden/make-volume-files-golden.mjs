// Golden numbers for the NRRD and MetaImage readers: tiny files in every variant, and what ITK reads from them.
//
// Needs ITK as WebAssembly, in a folder outside of this repository, and Debian's teem-apps (Teem's `unu`, the reference
// of NRRD, for what ITK does not read: hex):
//   npm install --prefix /tmp/itk @itk-wasm/image-io
//   node test/golden/make-volume-files-golden.mjs /tmp/itk [../shared/data/formats]
// Writes packages/io/src/golden/volumes.json and the files beside it. The files are written here, byte by byte; every
// number is what ITK (or unu) reads back. ITK's world is L-P-S; the two signs that make it R-A-S are applied here.
// With a folder of other projects' files, golden/shared-volumes.json tells what ITK reads of each (numbers and hashes).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deflateSync, gzipSync } from 'node:zlib';

const out = fileURLToPath(new URL('../../packages/io/src/golden/volumes/', import.meta.url));
const require = createRequire(join(process.argv[2], 'package.json'));
const { readImageNode } = await import(pathToFileURL(require.resolve('@itk-wasm/image-io')).href);

const size = [5, 4, 3];
const count = 60;
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

// A fixed little generator, so that a second run writes the same bytes.
let state = 20n;
function random() {
  state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn;
  return Number(state >> 33n) / 2 ** 31;
}

const types = {
  int8: ['signed char', 'MET_CHAR', 1, (v, at, x) => v.setInt8(at, x), 256, -128],
  uint8: ['unsigned char', 'MET_UCHAR', 1, (v, at, x) => v.setUint8(at, x), 256, 0],
  int16: ['short', 'MET_SHORT', 2, (v, at, x, le) => v.setInt16(at, x, le), 65536, -32768],
  uint16: ['unsigned short', 'MET_USHORT', 2, (v, at, x, le) => v.setUint16(at, x, le), 65536, 0],
  int32: ['int', 'MET_INT', 4, (v, at, x, le) => v.setInt32(at, x, le), 2 ** 32, -(2 ** 31)],
  uint32: ['unsigned int', 'MET_UINT', 4, (v, at, x, le) => v.setUint32(at, x, le), 2 ** 32, 0],
  int64: ['long long', 'MET_LONG_LONG', 8, (v, at, x, le) => v.setBigInt64(at, BigInt(x), le), 2 ** 41, -(2 ** 40)],
  uint64: ['unsigned long long', 'MET_ULONG_LONG', 8, (v, at, x, le) => v.setBigUint64(at, BigInt(x), le), 2 ** 41, 0],
  float32: ['float', 'MET_FLOAT', 4, (v, at, x, le) => v.setFloat32(at, x, le), 2000, -1000],
  float64: ['double', 'MET_DOUBLE', 8, (v, at, x, le) => v.setFloat64(at, x, le), 2000, -1000],
};

function voxels(type, little) {
  const [, , bytes, put, range, low] = types[type];
  const buffer = Buffer.alloc(count * bytes);
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  for (let i = 0; i < count; i++) {
    const value = type.startsWith('float') ? random() * range + low : Math.floor(random() * range + low);
    put(view, i * bytes, value, little);
  }
  return buffer;
}

const cosine = [0.8, 0.6, 0, -0.6, 0.8, 0, 0, 0, 1];
const oblique = '(0.6,0.45,0) (-0.48,0.64,0) (0,0,-2.5)';
const written = [];
const put = (name, ...parts) => {
  writeFileSync(join(out, name), Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))));
  if (!/\.(raw|zraw|gz|txt|bin)$/.test(name)) written.push(name);
};
const nrrd = (lines, more = '') => `NRRD0005\n# made by make-volume-files-golden.mjs\n${lines.join('\n')}\n${more}`;
const head = (type, encoding, endian, place = ['space: left-posterior-superior', `space directions: ${oblique}`, 'kinds: domain domain domain', 'space origin: (-101.5,82.25,-340.125)']) => [
  `type: ${types[type][0]}`, 'dimension: 3', `sizes: ${size.join(' ')}`, ...place, ...(endian ? [`endian: ${endian}`] : []), `encoding: ${encoding}`,
];
const meta = (type, fields) =>
  Object.entries({
    ObjectType: 'Image', NDims: 3, BinaryData: 'True', BinaryDataByteOrderMSB: 'False', CompressedData: 'False',
    TransformMatrix: cosine.join(' '), Offset: '-101.5 82.25 -340.125', CenterOfRotation: '0 0 0', AnatomicalOrientation: 'RAI',
    ElementSpacing: '0.75 0.8 2.5', DimSize: size.join(' '), ElementType: types[type][1], ...fields,
  }).flatMap(([key, value]) => (value === undefined ? [] : [`${key} = ${value}\n`])).join('');

for (const type of Object.keys(types)) {
  for (const little of [true, false]) {
    if (types[type][2] === 1 && !little) continue;
    const data = voxels(type, little);
    const ending = little ? '' : '-big';
    put(`nrrd-${type}${ending}.nrrd`, nrrd(head(type, 'raw', little ? 'little' : 'big')), '\n', data);
    put(`meta-${type}${ending}.mha`, meta(type, { BinaryDataByteOrderMSB: little ? 'False' : 'True', ElementDataFile: 'LOCAL' }), data);
  }
}
const shorts = voxels('int16', true);
const values = Array.from({ length: count }, (_, i) => shorts.readInt16LE(2 * i));
const slices = [0, 1, 2].map((z) => shorts.subarray(z * 40, (z + 1) * 40));
const place = (space, directions, origin) => [`space: ${space}`, `space directions: ${directions}`, `space origin: ${origin}`];

put('nrrd-gzip.nrrd', nrrd(head('int16', 'gzip', 'little')), '\n', gzipSync(shorts));
put('nrrd-crlf.nrrd', nrrd(head('int16', 'raw', 'little')).replaceAll('\n', '\r\n'), '\r\n', shorts);
put('nrrd-text.nrrd', nrrd(head('int16', 'ascii')), '\n', values.join(' '), '\n');
put('nrrd-hex.nrrd', nrrd(head('int16', 'hex', 'little')), '\n', shorts.toString('hex').replaceAll(/(.{40})/g, '$1\n'), '\n');
put('nrrd-ras.nrrd', nrrd(head('int16', 'raw', 'little', place('RAS', oblique, '(1,2,3)'))), '\n', shorts);
put('nrrd-las.nrrd', nrrd(head('int16', 'raw', 'little', place('left-anterior-superior', oblique, '(1,2,3)'))), '\n', shorts);
put('nrrd-swapped.nrrd', nrrd(head('int16', 'raw', 'little', place('LPS', '(0,0,3) (-1.5,0,0) (0,2,0)', '(-20,7,1)'))), '\n', shorts);
put('nrrd-spacings.nrrd', nrrd(head('int16', 'raw', 'little', ['spacings: 0.75 0.8 2.5'])), '\n', shorts);
put('nrrd-byte-skip.nrrd', nrrd([...head('int16', 'raw', 'little'), 'byte skip: -1']), '\nabcdefg', shorts);
put('detached-1.raw', 'a line\nanother line\nxyz', shorts);
put('nrrd-detached.nhdr', nrrd([...head('int16', 'raw', 'little'), 'line skip: 2', 'byte skip: 3', 'data file: detached-1.raw']));
put('detached-2.gz', gzipSync(shorts));
put('nrrd-detached-gzip.nhdr', nrrd([...head('int16', 'gzip', 'little'), 'datafile: detached-2.gz']));
slices.forEach((slice, z) => put(`slice-0${z + 1}.raw`, slice));
put('nrrd-list.nhdr', nrrd([...head('int16', 'raw', 'little'), 'data file: LIST'], 'slice-03.raw\nslice-01.raw\nslice-02.raw\n'));
put('nrrd-series.nhdr', nrrd([...head('int16', 'raw', 'little'), 'data file: slice-%02d.raw 1 3 1']));

const deflated = deflateSync(shorts);
put('meta-compressed.mha', meta('int16', { CompressedData: 'True', CompressedDataSize: deflated.length, ElementDataFile: 'LOCAL' }), deflated);
put('meta-text.mha', meta('int16', { BinaryData: 'False', ElementDataFile: 'LOCAL' }), values.join(' '), '\n');
put('meta-detached.mhd', meta('int16', { ElementDataFile: 'detached-3.raw' }));
put('detached-3.raw', shorts);
put('meta-header-size.mhd', meta('int16', { HeaderSize: -1, ElementDataFile: 'detached-1.raw' }));
put('meta-detached-compressed.mhd', meta('int16', { CompressedData: 'True', ElementDataFile: 'detached-4.zraw' }));
put('detached-4.zraw', deflated);
put('meta-list.mhd', meta('int16', { ElementDataFile: 'LIST' }), 'slice-03.raw\nslice-01.raw\nslice-02.raw\n');
put('meta-series.mhd', meta('int16', { ElementDataFile: 'slice-%02d.raw 1 3 1' }));
put('meta-no-matrix.mha', meta('int16', { TransformMatrix: '1 0 0 0 1 0 0 0 1', AnatomicalOrientation: 'LPS', ElementDataFile: 'LOCAL' }), shorts);

put('meta-colons.mha', meta('int16', { ElementDataFile: 'LOCAL' }).replaceAll(' = ', ': '), shorts);
put('meta-position.mha', meta('int16', { TransformMatrix: undefined, Offset: undefined, Orientation: cosine.join(' '), Position: '1 2 3', ElementDataFile: 'LOCAL' }), shorts);

async function readByItk(path) {
  const image = await readImageNode(path);
  const { origin, spacing, direction } = image;
  const affine = [];
  for (let r = 0; r < 3; r++) {
    const sign = r < 2 ? -1 : 1;
    for (let c = 0; c < 3; c++) affine.push(sign * direction[r * 3 + c] * spacing[c] + 0);
    affine.push(sign * origin[r] + 0);
  }
  return { shape: image.size, dtype: image.imageType.componentType, affine, data: image.data };
}

const golden = {};
for (const name of written.toSorted((a, b) => (a < b ? -1 : 1))) {
  try {
    const { data, ...facts } = await readByItk(join(out, name));
    golden[name] = { by: 'ITK', ...facts, voxels: Array.from(data, Number) };
  } catch (error) {
    console.error(`${name}: ITK: ${String(error).slice(0, 200)}`);
    const text = execFileSync('teem-unu', ['save', '-f', 'text', '-i', name], { cwd: out }).toString();
    golden[name] = { by: 'unu', shape: size, voxels: text.trim().split(/\s+/).map(Number) };
  }
}
// ITK 5 negates x instead of y for left-anterior-superior and so mirrors the patient. By the format's definition x runs to
// the left, y to anterior: from ITK's numbers back by the two signs that it got wrong.
const las = golden['nrrd-las.nrrd'];
las.by = 'ITK, corrected by the definition of the space';
las.affine = las.affine.map((value, at) => (at < 8 ? 0 - value + 0 : value));
function writeJson(name, value) {
  const text = JSON.stringify(value, null, 1).replaceAll(/\n\s+(-?[\d.e+-]+,?)/g, ' $1');
  writeFileSync(join(out, '..', name), `${text}\n`);
}
writeJson('volumes.json', { files: golden });

const others = process.argv[3];
if (others !== undefined) {
  const shared = {};
  for (const name of readdirSync(others, { recursive: true }).toSorted((a, b) => (a < b ? -1 : 1))) {
    if (!/\.(nrrd|nhdr|mha|mhd)$/.test(name)) continue;
    const { data, ...facts } = await readByItk(join(others, name));
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    shared[name] = { ...facts, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  writeJson('shared-volumes.json', { files: shared });
}
console.log(`${Object.keys(golden).length} files`);
