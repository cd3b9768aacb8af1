/** Air that a body encloses in a slice: lungs, windpipe, bowel. */

/** 1 for pixels below `airBelow` that no path through such pixels joins with the rim. */
export function enclosedAir(slice: Float32Array, columns: number, rows: number, airBelow: number): Uint8Array {
  const inside = new Uint8Array(slice.length);
  for (let at = 0; at < slice.length; at++) if (slice[at] < airBelow) inside[at] = 1;
  const open = new Int32Array(slice.length);
  let count = 0;
  const take = (at: number): void => {
    if (inside[at] === 0) return;
    inside[at] = 0;
    open[count++] = at;
  };
  for (let i = 0; i < columns; i++) for (const j of [0, rows - 1]) take(j * columns + i);
  for (let j = 0; j < rows; j++) for (const i of [0, columns - 1]) take(j * columns + i);
  while (count > 0) {
    const at = open[--count];
    const i = at % columns;
    if (i > 0) take(at - 1);
    if (i < columns - 1) take(at + 1);
    if (at >= columns) take(at - columns);
    if (at < slice.length - columns) take(at + columns);
  }
  return inside;
}
