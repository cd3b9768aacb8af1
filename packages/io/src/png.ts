/**
 * PNG pictures for reports: 8-bit RGB, by fast-png (pure JavaScript).
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { encode } from 'fast-png';

/** A picture whose pixels do not match its size; code `png`. */
export class PngError extends QuickcolumnError {
  constructor(problem: string) {
    super('png', problem);
  }
}

/** Encodes width·height RGB pixels (3 bytes each, rows from the top). Throws PngError when the sizes do not match. */
export function encodePng(width: number, height: number, rgb: Uint8Array): Uint8Array {
  const positive = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!positive || rgb.length !== width * height * 3) {
    throw new PngError(`a ${width}×${height} RGB picture has ${width * height * 3} bytes; got ${rgb.length}`);
  }
  return encode({ width, height, data: rgb, channels: 3, depth: 8 });
}
