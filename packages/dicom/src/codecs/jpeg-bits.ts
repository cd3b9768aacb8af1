/**
 * Entropy-coded data of a JPEG scan as bits (ITU-T T.81, F.2.2): byte stuffing, Huffman codes, signed values, restart
 * markers. Beyond the data come zeros, as the standard wants for the last code; a stream that goes on and on in them
 * is cut short, and refused rather than shown as grey.
 */
import { DicomError } from '../dicom-error.js';
import type { HuffmanTable } from './jpeg-markers.js';

/** Bits in zeros beyond the data before they count as missing. */
const graceBits = 64;

export class BitReader {
  readonly #path: string;
  readonly #bytes: Uint8Array;
  #at: number;
  #bits = 0;
  #count = 0;
  #missing = 0;

  constructor(path: string, bytes: Uint8Array, offset: number) {
    this.#path = path;
    this.#bytes = bytes;
    this.#at = offset;
  }

  /** Offset of the first byte that was not taken. */
  get offset(): number {
    return this.#at;
  }

  #fill(): void {
    while (this.#count <= 16) {
      const byte = this.#bytes[this.#at];
      const isMarker = byte === 0xff && this.#bytes[this.#at + 1] !== 0;
      if (byte === undefined || isMarker) {
        this.#missing += 8;
        if (this.#missing > graceBits) this.#fail('its data are cut short');
        this.#bits = this.#bits << 8;
      } else {
        this.#bits = (this.#bits << 8) | byte;
        this.#at += byte === 0xff ? 2 : 1;
      }
      this.#count += 8;
    }
  }

  #fail(problem: string): never {
    throw new DicomError(this.#path, 'pixels', `JPEG frame: ${problem}; the file is damaged`);
  }

  /** The next `count` bits, 0 to 16. */
  take(count: number): number {
    if (count === 0) return 0;
    if (this.#count < count) this.#fill();
    this.#count -= count;
    return (this.#bits >>> this.#count) & ((1 << count) - 1);
  }

  /** The symbol of the next Huffman code. */
  symbol(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    const entry = table[(this.#bits >>> (this.#count - 16)) & 0xffff];
    if (entry === 0) this.#fail('a code that no table has');
    this.#count -= entry >> 8;
    return entry & 0xff;
  }

  /** A value of `size` bits, negative ones as their complement (EXTEND). */
  signed(size: number): number {
    const value = this.take(size);
    return size > 0 && value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  /** Drops the rest of a byte and the restart marker that must follow. */
  restart(): void {
    this.#bits = 0;
    this.#count = 0;
    this.#missing = 0;
    const bytes = this.#bytes;
    while (this.#at + 1 < bytes.length) {
      const marker = bytes[this.#at + 1];
      if (bytes[this.#at] === 0xff && marker >= 0xd0 && marker <= 0xd7) {
        this.#at += 2;
        return;
      }
      if (bytes[this.#at] === 0xff && marker !== 0 && marker !== 0xff) break;
      this.#at++;
    }
    this.#fail('a restart marker is missing');
  }
}
