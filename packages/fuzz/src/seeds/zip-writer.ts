/** Zip archives with whatever headers one wants (APPNOTE 6.3, sections 4.3 and 4.4): seeds and attacks. */
import { Buffer } from 'node:buffer';
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Compressed bytes in the place of those made of `bytes`. */
  readonly packed?: Uint8Array;
  /** 8 (deflate, default), 0 (stored) or what no reader knows. */
  readonly method?: number;
  readonly flags?: number;
  /** What the headers say instead of the real sizes. */
  readonly statedBytes?: number;
  readonly packedBytes?: number;
  /** Where the directory says that the entry begins. */
  readonly offset?: number;
}

export function makeZip(entries: readonly ZipEntry[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, method = 8, flags = 0, offset = at, ...stated } of entries) {
    const packed = stated.packed ?? (method === 8 ? deflateRawSync(bytes) : bytes);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(stated.packedBytes ?? packed.length, 14);
    common.writeUInt32LE(stated.statedBytes ?? bytes.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, tail, Buffer.from(name)]));
    parts.push(local);
    at += local.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(Math.min(entries.length, 65_535), 8);
  end.writeUInt16LE(Math.min(entries.length, 65_535), 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, index, end]);
}
