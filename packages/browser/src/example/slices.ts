/**
 * Slices of a volume as pixels, the way radiologists look at them: the patient's right on the left of the screen, the
 * front or the head above. Volumes are in L, P, S order here (`reorient`), so that no plane needs a case of its own for
 * every scanner.
 */
import type { Size3, Volume } from '@quickcolumn/volume';

export type Plane = 'axial' | 'coronal' | 'sagittal';
export const planes: readonly Plane[] = ['axial', 'coronal', 'sagittal'];

interface Layout {
  /** Axis of the volume across the screen, down the screen and through it. */
  readonly axes: readonly [number, number, number];
  /** Down the screen means towards the feet where that axis is z. */
  readonly flip: boolean;
}

const layouts: Readonly<Record<Plane, Layout>> = {
  axial: { axes: [0, 1, 2], flip: false },
  coronal: { axes: [0, 2, 1], flip: true },
  sagittal: { axes: [1, 2, 0], flip: true },
};

/** Pixels across, pixels down, and number of slices of a plane. */
export function planeSize({ size }: Pick<Volume, 'size'>, plane: Plane): Size3 {
  const [across, down, through] = layouts[plane].axes;
  return [size[across], size[down], size[through]];
}

/** Millimetres per pixel across and down. */
export function pixelMm({ affine }: Pick<Volume, 'affine'>, plane: Plane): readonly [number, number] {
  const [across, down] = layouts[plane].axes.map((axis) =>
    Math.hypot(affine[axis], affine[4 + axis], affine[8 + axis]),
  );
  return [across, down];
}

/** Index of each pixel's voxel, row by row. */
function voxelIndices(volume: Pick<Volume, 'size'>, plane: Plane, slice: number): Uint32Array {
  const { axes, flip } = layouts[plane];
  const strides = [1, volume.size[0], volume.size[0] * volume.size[1]];
  const [across, down, through] = axes.map((axis) => strides[axis]);
  const [width, height] = planeSize(volume, plane);
  const indices = new Uint32Array(width * height);
  for (let row = 0; row < height; row++) {
    const start = slice * through + (flip ? height - 1 - row : row) * down;
    for (let column = 0; column < width; column++) indices[row * width + column] = start + column * across;
  }
  return indices;
}

/** How a slice is shown. */
export interface Look {
  /** What is black and what is white. */
  readonly window: readonly [number, number];
  /** Red, green, blue of each class that is shown, by its value. */
  readonly colors: ReadonlyMap<number, readonly [number, number, number]>;
  /** Of the classes over the scan, 0–1. */
  readonly opacity: number;
}

/** Red, green, blue and alpha of each pixel. Both volumes are in LPS order and on the same grid. */
export function paintSlice(
  scan: Volume,
  labels: Volume<Uint8Array>,
  plane: Plane,
  slice: number,
  { window: [black, white], colors, opacity }: Look,
): Uint8ClampedArray<ArrayBuffer> {
  const indices = voxelIndices(scan, plane, slice);
  const pixels = new Uint8ClampedArray(4 * indices.length);
  indices.forEach((index, at) => {
    const grey = (255 * (scan.voxels[index] - black)) / (white - black);
    const level = Math.min(255, Math.max(0, grey));
    const color = colors.get(labels.voxels[index]);
    for (let channel = 0; channel < 3; channel++)
      pixels[4 * at + channel] = color === undefined ? level : level * (1 - opacity) + color[channel] * opacity;
    pixels[4 * at + 3] = 255;
  });
  return pixels;
}

/** The slice with the most voxels of the class, or the middle one where there is none. */
export function richestSlice(labels: Volume<Uint8Array>, plane: Plane, value: number): number {
  const count = planeSize(labels, plane)[2];
  let [best, most] = [Math.floor(count / 2), 0];
  for (let slice = 0; slice < count; slice++) {
    let voxels = 0;
    for (const index of voxelIndices(labels, plane, slice)) if (labels.voxels[index] === value) voxels++;
    if (voxels > most) [best, most] = [slice, voxels];
  }
  return best;
}
