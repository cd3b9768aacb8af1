import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { crc32c, encodeEvent, EventWriter, maskedCrc32c } from './tensorboard.js';

// A decoder of its own, written from the format's description, so that a wrong encoder cannot agree with itself.
type Fields = Map<number, (number | Uint8Array)[]>;

function decodeMessage(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    let value: number | Uint8Array;
    if ((key & 7) === 0) value = varint();
    else if ((key & 7) === 1) value = view.getFloat64((at += 8) - 8, true);
    else if ((key & 7) === 5) value = view.getFloat32((at += 4) - 4, true);
    else {
      const length = varint();
      value = bytes.subarray(at, (at += length));
    }
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
  }
  return fields;
}

function decodeFile(bytes: Uint8Array): Fields[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const events: Fields[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(view.getUint32(at + 8, true)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(view.getUint32(at + 12 + length, true)).toBe(maskedCrc32c(data));
    events.push(decodeMessage(data));
    at += 16 + length;
  }
  return events;
}

const text = (value: number | Uint8Array | undefined): string => new TextDecoder().decode(value as Uint8Array);

it('computes the CRC-32C vectors of RFC 3720 B.4 and the masking of TFRecord', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(new Uint8Array(0))).toBe(0);
  // rotr(0xe3069283, 15) = 0x2507c60d, plus 0xa282ead8.
  expect(maskedCrc32c(new TextEncoder().encode('123456789'))).toBe(0xc78ab0e5);
});

it('encodes an event byte for byte', () => {
  const event = encodeEvent({ step: 300, wallTime: 1, scalars: { a: 0.5 } });
  const expected = ['09000000000000f03f', '10ac02', '2a0a', '0a08', '0a0161', '150000003f'].join('');
  expect(Buffer.from(event).toString('hex')).toBe(expected);
});

it('writes files that decode to what was written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-events-'));
  try {
    const writer = await EventWriter.open(folder, 5);
    await writer.scalars(5, { 'loss/training': 1.5, 'soft-dice läsion/validation': 0.25 });
    await writer.scalars(2 ** 40, { 'loss/training': Number.NaN });
    await writer.close();
    const [name] = await readdir(folder);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    const events = decodeFile(await readFile(join(folder, name)));
    expect(events).toHaveLength(4);
    expect(text(events[0].get(3)?.[0])).toBe('brain.Event:2');
    expect(Math.abs(Number(events[0].get(1)?.[0]) - Date.now() / 1000)).toBeLessThan(60);
    expect(events[1].get(2)).toEqual([5]);
    expect(decodeMessage(events[1].get(7)?.[0] as Uint8Array).get(1)).toEqual([1]);
    expect(events.map((event) => event.get(2)?.[0])).toEqual([0, 5, 5, 2 ** 40]);
    const values = (decodeMessage(events[2].get(5)?.[0] as Uint8Array).get(1) ?? []).map((value) =>
      decodeMessage(value as Uint8Array),
    );
    expect(values.map((value) => [text(value.get(1)?.[0]), value.get(2)?.[0]])).toEqual([
      ['loss/training', 1.5],
      ['soft-dice läsion/validation', 0.25],
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
