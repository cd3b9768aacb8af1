import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { encodePng, PngError } from './index.js';

describe('encodePng', () => {
  it('keeps every pixel', () => {
    const rgb = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => (i * 37) & 255);
    const png = encodePng(7, 5, rgb);
    expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
    const back = decode(png);
    expect([back.width, back.height, back.channels, back.depth]).toEqual([7, 5, 3, 8]);
    expect(Uint8Array.from(back.data)).toEqual(rgb);
  });

  it('refuses pixels that do not match the size', () => {
    expect(() => encodePng(2, 2, new Uint8Array(16))).toThrow(PngError);
    expect(() => encodePng(0, 2, new Uint8Array(0))).toThrow(PngError);
  });
});
