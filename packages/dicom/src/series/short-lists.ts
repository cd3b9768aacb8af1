/** Lists of files and places for messages: short, and without folders, which may be named after patients. */
import { basename } from 'node:path';
import type { SliceHeader } from './slice-header.js';

export function placesMm(millimetres: readonly number[]): string {
  return shorten(millimetres.map((mm) => `${mm.toFixed(2)} mm`));
}

/** Up to three file names. */
export function fileNames(slices: readonly SliceHeader[]): string {
  return shorten([...new Set(slices.map(({ source }) => basename(source.name)))]);
}

export function shorten(names: readonly string[], most: number = 3): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
