/**
 * Writes TensorBoard event files: TFRecord framing around hand-encoded Event protocol buffers, scalars only.
 *
 * Record: uint64 length, masked CRC-32C of the length, data, masked CRC-32C of the data, all little-endian
 * (tensorflow/core/lib/io/record_writer). Fields of Event: 1 wall_time, 2 step, 3 file_version, 5 summary, 7 session_log.
 * A session begins with SessionLog START at its first step: TensorBoard then drops the events of a killed session
 * from that step on, so a resumed run shows one clean curve.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '@quickcolumn/io';

let filesOpened = 0;

/** Writes one file; every method throws FileError when the disk is full or not writable. */
export class EventWriter {
  readonly #file: FileHandle;
  readonly #path: string;

  private constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Opens a new event file in an existing `folder`; `firstStep` is the first step this session will write. */
  static async open(folder: string, firstStep: number): Promise<EventWriter> {
    const seconds = Math.floor(Date.now() / 1000);
    // The counter keeps names apart when one process opens two files within a second.
    const name = `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}.${filesOpened++}`;
    const path = join(folder, name);
    const file = await open(path, 'wx').catch((error: unknown) => {
      throw new FileError(path, 'write', error);
    });
    const writer = new EventWriter(file, path);
    try {
      await writer.#write(encodeEvent({ step: 0, fileVersion: 'brain.Event:2' }));
      await writer.#write(encodeEvent({ step: firstStep, sessionStart: true }));
    } catch (error) {
      await file.close();
      throw error;
    }
    return writer;
  }

  /** Appends one value per tag at `step`. */
  async scalars(step: number, values: Readonly<Record<string, number>>): Promise<void> {
    await this.#write(encodeEvent({ step, scalars: values }));
  }

  async close(): Promise<void> {
    await this.#file.close().catch((error: unknown) => {
      throw new FileError(this.#path, 'write', error);
    });
  }

  async #write(event: Uint8Array): Promise<void> {
    try {
      await this.#file.appendFile(encodeRecord(event));
    } catch (error) {
      throw new FileError(this.#path, 'write', error);
    }
  }
}

export interface TensorboardEvent {
  readonly step: number;
  /** Seconds since 1970; now unless given. */
  readonly wallTime?: number;
  readonly fileVersion?: string;
  readonly sessionStart?: boolean;
  readonly scalars?: Readonly<Record<string, number>>;
}

/** One Event message. */
export function encodeEvent(event: TensorboardEvent): Uint8Array {
  const wallTime = new Uint8Array(8);
  new DataView(wallTime.buffer).setFloat64(0, event.wallTime ?? Date.now() / 1000, true);
  const parts = [field(1, fixed64), wallTime, field(2, varintType), varint(event.step)];
  if (event.fileVersion !== undefined) parts.push(bytesField(3, new TextEncoder().encode(event.fileVersion)));
  if (event.scalars !== undefined) {
    const values = Object.entries(event.scalars).map(([tag, value]) => bytesField(1, scalarValue(tag, value)));
    parts.push(bytesField(5, concat(values)));
  }
  // SessionLog { status = 1: START }
  if (event.sessionStart === true) parts.push(bytesField(7, Uint8Array.of(field(1, varintType)[0], 1)));
  return concat(parts);
}

/** TFRecord framing of one message. */
function encodeRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}

/** CRC-32C (Castagnoli), unsigned. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** The checksum as TFRecord stores it: rotated right by 15 bits plus a constant. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const crcTable: Uint32Array = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

// Protocol-buffer wire types.
const varintType = 0;
const fixed64 = 1;
const lengthDelimited = 2;
const fixed32 = 5;

function field(number: number, wireType: number): Uint8Array {
  return Uint8Array.of((number << 3) | wireType);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.of(...bytes, rest);
}

function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  return concat([field(number, lengthDelimited), varint(bytes.length), bytes]);
}

/** Summary.Value { tag = 1, simple_value = 2 }. */
function scalarValue(tag: string, value: number): Uint8Array {
  const float = new Uint8Array(4);
  new DataView(float.buffer).setFloat32(0, value, true);
  return concat([bytesField(1, new TextEncoder().encode(tag)), field(2, fixed32), float]);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
