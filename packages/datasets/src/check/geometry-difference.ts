/**
 * How the grid of a label map differs from its scan's, in numbers a person can judge, and whether it is harmless.
 *
 * Harmless: the same voxels stored in another order of axes, or positions that differ by less than half a voxel
 * everywhere (rounded headers, an origin given for a voxel's corner). Everything else could be another scan's labels.
 */
import { axisCodes, compareGrids, type Grid, reorientation, reorientedAffine, spacingMm } from '@quickcolumn/volume';

export type GeometryVerdict = 'same' | 'other-order' | 'rounded' | 'different';

export interface GeometryDifference {
  readonly verdict: GeometryVerdict;
  /** One sentence with the exact numbers; empty for `same`. */
  readonly description: string;
}

/** Tolerance of preparation: what is closer than this is the same grid. */
const sameMm = 1e-3;

/** Compares the grid of labels with that of their image. */
export function geometryDifference(image: Grid, labels: Grid): GeometryDifference {
  if (compareGrids(image, labels, sameMm).same) return { verdict: 'same', description: '' };
  const description = describe(image, labels);
  const turned = inOrderOf(image, labels);
  const halfVoxel = Math.min(...spacingMm(image.affine)) / 2;
  if (turned !== undefined && compareGrids(image, turned, halfVoxel).same) {
    const order = `axes are ${axisCodes(labels.affine)}, the image's ${axisCodes(image.affine)}`;
    return { verdict: 'other-order', description: `${order}; otherwise ${describe(image, turned)}` };
  }
  if (compareGrids(image, labels, halfVoxel).same) return { verdict: 'rounded', description };
  return { verdict: 'different', description };
}

/** The labels' grid with its axes along the image's; undefined when they are along already. */
function inOrderOf(image: Grid, labels: Grid): Grid | undefined {
  const target = axisCodes(image.affine);
  if (axisCodes(labels.affine) === target) return undefined;
  const how = reorientation(labels.affine, target);
  const [a, b, c] = how.permutation.map((axis) => labels.size[axis]);
  return { size: [a, b, c], affine: reorientedAffine(labels.affine, labels.size, how) };
}

function describe(a: Grid, b: Grid): string {
  if (a.size.some((n, axis) => n !== b.size[axis])) {
    return `the image has ${a.size.join('×')} voxels, the labels ${b.size.join('×')}`;
  }
  const [from, to] = [spacingMm(a.affine), spacingMm(b.affine)];
  const spacing = Math.max(...from.map((mm, axis) => Math.abs(mm - to[axis])));
  const origin = [3, 7, 11].map((at) => b.affine[at] - a.affine[at]);
  const angles = [0, 1, 2].map((column) => {
    const dot = [0, 4, 8].reduce((sum, row) => sum + a.affine[row + column] * b.affine[row + column], 0);
    return (Math.acos(Math.min(1, Math.max(-1, dot / (from[column] * to[column])))) * 180) / Math.PI;
  });
  const corners = compareGrids(a, b, sameMm).reason ?? '';
  const apart = /up to ([\d.]+) mm/.exec(corners)?.[1] ?? '0';
  return (
    `positions differ by up to ${apart} mm: origin by (${origin.map((mm) => mm.toFixed(4)).join(', ')}) mm, ` +
    `spacing by up to ${spacing.toFixed(5)} mm, directions by up to ${Math.max(...angles).toFixed(3)}°`
  );
}
