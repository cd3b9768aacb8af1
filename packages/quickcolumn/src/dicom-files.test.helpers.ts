/** A scan as a DICOM CT series, for the command-line tests: as few attributes as a reader can do with. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Volume } from '@quickcolumn/volume';

type Value = string | number | Uint8Array;

function encode(elements: readonly (readonly [tag: number, vr: string, value: Value])[]): Buffer {
  const parts = elements.map(([tag, vr, value]) => {
    const text = typeof value === 'string' ? value + (value.length % 2 ? (vr === 'UI' ? '\0' : ' ') : '') : '';
    const number = Buffer.alloc(2);
    if (typeof value === 'number') number.writeUInt16LE(value);
    const bytes = typeof value === 'string' ? Buffer.from(text) : typeof value === 'number' ? number : value;
    const isLong = vr === 'OW';
    const head = Buffer.alloc(isLong ? 12 : 8);
    head.writeUInt16LE(tag >>> 16, 0);
    head.writeUInt16LE(tag & 0xffff, 2);
    head.write(vr, 4, 'latin1');
    if (isLong) head.writeUInt32LE(bytes.length, 8);
    else head.writeUInt16LE(bytes.length, 6);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat(parts);
}

/** Writes one file per plane. The volume must be in L, P, S order with whole HU; the patient is 'Secret^Patient'. */
export async function writeDicomSeries(folder: string, volume: Volume, seriesUid: string = '1.2.3.1'): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [columns, rows, planes] = volume.size;
  const { affine } = volume;
  const preamble = Buffer.alloc(132);
  preamble.write('DICM', 128, 'latin1');
  for (let k = 0; k < planes; k++) {
    const values = Int16Array.from(volume.voxels.subarray(k * columns * rows, (k + 1) * columns * rows));
    const meta = encode([[0x00020010, 'UI', '1.2.840.10008.1.2.1']]);
    const body = encode([
      [0x00080008, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'],
      [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
      [0x00080018, 'UI', `${seriesUid}.${k + 1}`],
      [0x00080060, 'CS', 'CT'],
      [0x00100010, 'PN', 'Secret^Patient'],
      [0x00100020, 'LO', 'P-4711'],
      [0x0020000d, 'UI', '1.2.3'],
      [0x0020000e, 'UI', seriesUid],
      [0x00200013, 'IS', String(k + 1)],
      [0x00200032, 'DS', [-affine[3], -affine[7], affine[11] + k * affine[10]].join('\\')],
      [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
      [0x00200052, 'UI', '1.2.3.9'],
      [0x00280002, 'US', 1],
      [0x00280004, 'CS', 'MONOCHROME2'],
      [0x00280010, 'US', rows],
      [0x00280011, 'US', columns],
      [0x00280030, 'DS', [-affine[5], -affine[0]].join('\\')],
      [0x00280100, 'US', 16],
      [0x00280101, 'US', 16],
      [0x00280102, 'US', 15],
      [0x00280103, 'US', 1],
      [0x00281052, 'DS', '0'],
      [0x00281053, 'DS', '1'],
      [0x7fe00010, 'OW', new Uint8Array(values.buffer)],
    ]);
    await writeFile(join(folder, `IM${k + 1}`), Buffer.concat([preamble, meta, body]));
  }
}

/** The files of a folder as a zip archive without compression. */
export async function zipFolder(folder: string, path: string): Promise<void> {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  const names = await readdir(folder);
  for (const name of names) {
    const bytes = await readFile(join(folder, name));
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    files.push(Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), bytes]));
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name)]));
    offset += 30 + name.length + bytes.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  await writeFile(path, Buffer.concat([...files, ...directory, end]));
}
