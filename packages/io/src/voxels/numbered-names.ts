/** Voxels in a numbered series of files, as the headers of NRRD and MetaImage name them. */
import { mostDataFiles } from './voxel-data.js';

/** File names with a number in the place of the one `%d` or `%03d`; undefined when that cannot be done. */
export function numberedNames(
  format: string,
  { from, to, step }: { readonly from: number; readonly to: number; readonly step: number },
): string[] | undefined {
  const place = /^([^%]*)%(0?)(\d?)d([^%]*)$/.exec(format);
  const count = Math.floor((to - from) / step) + 1;
  if (place === null || !(count >= 1 && count <= mostDataFiles)) return undefined;
  const [, before, zero, width, after] = place;
  return Array.from({ length: count }, (_, i) => {
    const digits = String(from + i * step).padStart(Number(width), zero === '' ? ' ' : '0');
    return before + digits + after;
  });
}
