/**
 * Random numbers for what a test leaves to chance, such as the moment of a kill. The seed is one for the whole run:
 * vitest.config.ts sets QUICKCOLUMN_SEED where the caller did not, and the reporter prints it.
 */
import { createHash } from 'node:crypto';

/** A generator of numbers in [0, 1), its own for every label. @throws Error where QUICKCOLUMN_SEED is not set */
export function randomOf(label: string): () => number {
  const seed = process.env['QUICKCOLUMN_SEED'];
  if (seed === undefined) throw new Error('QUICKCOLUMN_SEED is not set; vitest.config.ts does that');
  let count = 0;
  return () => createHash('sha256').update(`${seed} ${label} ${count++}`).digest().readUInt32LE() / 2 ** 32;
}
