/**
 * New identifiers in place of old ones: HMAC-SHA256 of the old one with a key. The same key gives the same new identifier
 * in every file and every run, so references hold; without the key nobody can tell the old one, nor try guesses.
 */
import { createHmac } from 'node:crypto';

/** Bytes of a key. */
export const keyBytes = 32;

function digest(key: Uint8Array, purpose: string, value: string): Buffer {
  return createHmac('sha256', key).update(`${purpose}\0${value}`).digest();
}

/** UIDs that the standard defines: classes, transfer syntaxes, codes. They identify nobody. */
const standardRoot = '1.2.840.10008.';

/** A UID of the root 2.25 made of a UUID, version 8 (PS3.5, B.2; RFC 9562); those of the standard stay. */
export function newUidOf(key: Uint8Array, uid: string): string {
  if (uid.startsWith(standardRoot) || uid === '') return uid;
  const bytes = digest(key, 'uid', uid).subarray(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${bytes.toString('hex')}`)}`;
}

/** `PATIENT-` and ten hexadecimal digits, for both identifier and name. */
export function newPatientOf(key: Uint8Array, patient: string): string {
  return `PATIENT-${digest(key, 'patient', patient).toString('hex').slice(0, 10).toUpperCase()}`;
}

/** A code of a private scheme. */
export function newCodeOf(key: Uint8Array, code: string): string {
  return `X${digest(key, 'code', code).toString('hex').slice(0, 10).toUpperCase()}`;
}

const mostDays = 3650;

/** By how many days all dates of a patient go back: 1 to 3650. */
export function dayShiftOf(key: Uint8Array, patient: string): number {
  return 1 + (digest(key, 'dates', patient).readUInt32BE(0) % mostDays);
}
