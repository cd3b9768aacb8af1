/** Classes with colours, and partners in the mirror, from names and values alone. */
import { DatasetError } from '@quickcolumn/cases';
import { type LabelClass, withRoles } from '@quickcolumn/volume';

const colors: readonly (readonly [number, number, number])[] = [
  [225, 70, 60],
  [70, 130, 220],
  [80, 180, 120],
  [235, 165, 50],
  [160, 100, 210],
  [60, 180, 190],
  [210, 110, 160],
  [150, 150, 70],
];

/**
 * Classes in the order of their values; 'left X' and 'right X' swap in the mirror, and lungs and lesions get their roles.
 * @param source what messages call the description
 * @throws DatasetError for values that are no bytes, or without a background of 0
 */
export function classesFromNames(pairs: readonly (readonly [number, string])[], source: string): readonly LabelClass[] {
  for (const [value, name] of pairs) {
    if (Number.isInteger(value) && value >= 0 && value <= 255 && name !== '') continue;
    throw new DatasetError(`${source}: labels: ${value} (${name}); expected whole numbers 0 to 255 with names`);
  }
  const sorted = [...pairs].sort((a, b) => a[0] - b[0]);
  const isTwice = sorted.some(([value, name], i) => sorted.findIndex((p) => p[0] === value || p[1] === name) !== i);
  if (sorted.length < 2 || sorted[0][0] !== 0 || isTwice) {
    throw new DatasetError(`${source}: labels: expected a background of value 0 and further classes, each once`);
  }
  const classes = sorted.map(([value, name], i): LabelClass => {
    const other = name.replace(/left|right/i, (side) => (side.toLowerCase() === 'left' ? 'right' : 'left'));
    const partner = sorted.find((pair) => pair[1].toLowerCase() === other.toLowerCase() && pair[0] !== value)?.[0];
    const color = i === 0 ? ([0, 0, 0] as const) : colors[(i - 1) % colors.length];
    return { value, name, color, ...(partner !== undefined && { mirror: partner }) };
  });
  return withRoles(classes);
}
