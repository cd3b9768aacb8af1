/**
 * Byte order of this machine, and reversing the bytes of elements in place.
 */

/** True where typed arrays are little-endian (every common machine). */
export const hostIsLittleEndian: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Reverses the bytes of every element, in place. */
export function swapBytes(buffer: ArrayBuffer, elementBytes: 1 | 2 | 4 | 8): void {
  if (elementBytes === 1) return;
  if (elementBytes === 2) {
    const words = new Uint16Array(buffer);
    for (let i = 0; i < words.length; i++) words[i] = (words[i] << 8) | (words[i] >>> 8);
    return;
  }
  const words = new Uint32Array(buffer);
  for (let i = 0; i < words.length; i++) {
    const w = words[i];
    words[i] = (w << 24) | ((w & 0xff00) << 8) | ((w >>> 8) & 0xff00) | (w >>> 24);
  }
  if (elementBytes === 4) return;
  for (let i = 0; i < words.length; i += 2) {
    const low = words[i];
    words[i] = words[i + 1];
    words[i + 1] = low;
  }
}
