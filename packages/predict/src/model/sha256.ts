/** Checksums by Web Crypto, which Node and browsers share; browsers offer it on secure pages (https, localhost) only. */
import { QuickcolumnError } from '@quickcolumn/errors';

/** SHA-256 of the parts, one after the other, as lower-case hex. @throws QuickcolumnError `runtime` on pages over http. */
export async function sha256(parts: readonly Uint8Array[]): Promise<string> {
  const subtle = globalThis.crypto.subtle as typeof globalThis.crypto.subtle | undefined;
  if (subtle === undefined) {
    throw new QuickcolumnError('runtime', 'checksums cannot be computed on this page; open it over https or localhost');
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', joined(parts)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Web Crypto takes one array only; one that is alone is not copied. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [first] = parts;
  if (parts.length === 1 && first.buffer instanceof ArrayBuffer) return first as Uint8Array<ArrayBuffer>;
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
