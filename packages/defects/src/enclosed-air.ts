/** Air that a body encloses in a slice: lungs, windpipe, bowel. */

/** 1 for pixels below `airBelow` that no path through air joins with the rim. */
export function enclosedAir(slice: Float32Array, columns: number, rows: number, airBelow: number): Uint8Array {
  const inside = Uint8Array.from(slice, (value) => (value < airBelow ? 1 : 0));
  const open: number[] = [];
  const take = (i: number, j: number): void => {
    if (i < 0 || j < 0 || i >= columns || j >= rows || inside[j * columns + i] === 0) return;
    inside[j * columns + i] = 0;
    open.push(j * columns + i);
  };
  for (let i = 0; i < columns; i++) for (const j of [0, rows - 1]) take(i, j);
  for (let j = 0; j < rows; j++) for (const i of [0, columns - 1]) take(i, j);
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const [i, j] = [at % columns, Math.floor(at / columns)];
    take(i - 1, j);
    take(i + 1, j);
    take(i, j - 1);
    take(i, j + 1);
  }
  return inside;
}
