/** Moving an image plane within a larger one by a fraction of pixels, to set a tilted stack upright. */
import type { Size3 } from '@quickcolumn/volume';

type Hu = Int32Array | Float32Array;

/**
 * The plane, shifted by (columns, rows) ≥ 0 into a frame of `size`, with bilinear interpolation. Pixels that the plane
 * does not reach take the value `outside`.
 */
export function shiftPlane(
  plane: Hu,
  { columns, rows }: { readonly columns: number; readonly rows: number },
  options: { readonly size: Size3; readonly shift: readonly [number, number]; readonly outside: number },
): Hu {
  const { size, shift, outside } = options;
  const isWhole = plane instanceof Int32Array;
  const result = isWhole ? new Int32Array(size[0] * size[1]) : new Float32Array(size[0] * size[1]);
  result.fill(outside);
  // Shifts of a stack come from decimal strings; a whole pixel should stay one.
  const [dx, dy] = shift.map((value) => (Math.abs(value - Math.round(value)) < 1e-6 ? Math.round(value) : value));
  for (let y = 0; y < size[1]; y++) {
    const v = y - dy;
    const top = Math.floor(v);
    const bottom = Math.min(top + 1, rows - 1);
    if (v < 0 || v > rows - 1) continue;
    for (let x = 0; x < size[0]; x++) {
      const u = x - dx;
      if (u < 0 || u > columns - 1) continue;
      const left = Math.floor(u);
      const right = Math.min(left + 1, columns - 1);
      const [a, b] = [u - left, v - top];
      const upper = plane[top * columns + left] * (1 - a) + plane[top * columns + right] * a;
      const lower = plane[bottom * columns + left] * (1 - a) + plane[bottom * columns + right] * a;
      const value = upper * (1 - b) + lower * b;
      result[y * size[0] + x] = isWhole ? Math.round(value) : value;
    }
  }
  return result;
}
