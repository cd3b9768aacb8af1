/** Zip archives made by hand, good and hostile. */
import { Buffer } from 'node:buffer';
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What the headers promise instead of the real size. */
  readonly statedBytes?: number;
  readonly encrypted?: boolean;
  /** 8 deflated (default), 0 stored. */
  readonly method?: 0 | 8;
  /** A byte near its end is wrong, the checksum is that of the right ones. */
  readonly damaged?: boolean;
  /** Points to the data of the entry before. */
  readonly shared?: boolean;
}

export function makeZip(entries: readonly ZipEntry[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  let previous = 0;
  for (const entry of entries) {
    const { name, bytes, statedBytes = bytes.length, encrypted = false, method = 8 } = entry;
    const packed = method === 0 ? Buffer.from(bytes) : deflateRawSync(bytes);
    if (entry.damaged === true) packed[packed.length - 20] ^= 0x55;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(encrypted ? 1 : 0, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(statedBytes, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(entry.shared === true ? previous : offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name)]));
    if (entry.shared === true) continue;
    parts.push(local);
    previous = offset;
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, index, end]);
}
