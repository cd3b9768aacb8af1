/**
 * One axial slice as pixels: which voxel a pixel shows, grey values, labels and their colours. Internal to this package.
 *
 * Raster x runs to the patient's left and y to posterior, whatever order and direction the voxels are stored in.
 */
import { type Affine, axisDirections, type LabelClass, spacingMm, type Size3, type Volume } from '@quickcolumn/volume';

/** How raster x (to the patient's left) and y (to posterior) run through the voxels. */
export interface AxialView {
  readonly sliceAxis: number;
  readonly count: number;
  readonly sliceStride: number;
  readonly across: RasterAxis;
  readonly down: RasterAxis;
  /** Of what is shown. */
  readonly widthMm: number;
  readonly heightMm: number;
}

interface RasterAxis {
  /** Voxels shown, from voxel `first` on. */
  readonly first: number;
  readonly size: number;
  readonly stride: number;
  /** Voxel index runs against the raster. */
  readonly flip: boolean;
}

/** The axial view of a grid. */
export function axialView(affine: Affine, size: Size3): AxialView {
  const directions = axisDirections(affine);
  const spacing = spacingMm(affine);
  const strides = [1, size[0], size[0] * size[1]];
  const voxelAxis = (worldAxis: number): number => directions.findIndex((d) => d.worldAxis === worldAxis);
  // World axes are right, anterior, superior; the raster runs to left and posterior, so a positive sign flips.
  const raster = (axis: number): RasterAxis => ({
    first: 0,
    size: size[axis],
    stride: strides[axis],
    flip: directions[axis].sign > 0,
  });
  const [x, y, z] = [voxelAxis(0), voxelAxis(1), voxelAxis(2)];
  return {
    sliceAxis: z,
    count: size[z],
    sliceStride: strides[z],
    across: raster(x),
    down: raster(y),
    widthMm: size[x] * spacing[x],
    heightMm: size[y] * spacing[y],
  };
}

/** Grey pixels of one slice, interpolated: width·height·3 bytes. */
export function drawImage(
  image: Volume,
  view: AxialView,
  slice: number,
  width: number,
  height: number,
  window: readonly [number, number],
): Uint8Array {
  const { voxels } = image;
  const base = slice * view.sliceStride;
  const rgb = new Uint8Array(width * height * 3);
  const scale = 255 / (window[1] - window[0]);
  for (let y = 0, o = 0; y < height; y++) {
    const v = linearPlace(y, height, view.down);
    for (let x = 0; x < width; x++, o += 3) {
      const u = linearPlace(x, width, view.across);
      const top = mix(voxels[base + v.a + u.a], voxels[base + v.a + u.b], u.t);
      const bottom = mix(voxels[base + v.b + u.a], voxels[base + v.b + u.b], u.t);
      const value = Math.round((mix(top, bottom, v.t) - window[0]) * scale);
      const level = value > 255 ? 255 : value > 0 ? value : 0;
      rgb[o] = level;
      rgb[o + 1] = level;
      rgb[o + 2] = level;
    }
  }
  return rgb;
}

/** Labels of one slice, nearest voxel: width·height bytes. */
export function drawLabels(
  map: Volume<Uint8Array>,
  view: AxialView,
  slice: number,
  width: number,
  height: number,
): Uint8Array {
  const labels = new Uint8Array(width * height);
  const base = slice * view.sliceStride;
  for (let y = 0, o = 0; y < height; y++) {
    const row = base + nearestPlace(y, height, view.down);
    for (let x = 0; x < width; x++, o++) labels[o] = map.voxels[row + nearestPlace(x, width, view.across)];
  }
  return labels;
}

/** Colours over grey: translucent inside, opaque where a 4-neighbour has another label. */
export function blend(
  grey: Uint8Array,
  labels: Uint8Array,
  width: number,
  height: number,
  classes: readonly LabelClass[],
  opacity: number,
): Uint8Array {
  const rgb = grey.slice();
  const colors = new Map(classes.map((c) => [c.value, c.color]));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const label = labels[i];
      const color = label === 0 ? undefined : colors.get(label);
      if (color === undefined) continue;
      const outline =
        (x > 0 && labels[i - 1] !== label) ||
        (x < width - 1 && labels[i + 1] !== label) ||
        (y > 0 && labels[i - width] !== label) ||
        (y < height - 1 && labels[i + width] !== label);
      const weight = outline ? 1 : opacity;
      for (let c = 0; c < 3; c++) rgb[i * 3 + c] = Math.round(mix(grey[i * 3 + c], color[c], weight));
    }
  }
  return rgb;
}

function sourcePosition(pixel: number, pixels: number, axis: RasterAxis): number {
  const position = ((pixel + 0.5) * axis.size) / pixels - 0.5;
  return axis.flip ? axis.size - 1 - position : position;
}

function nearestPlace(pixel: number, pixels: number, axis: RasterAxis): number {
  const index = Math.round(sourcePosition(pixel, pixels, axis));
  return (axis.first + Math.min(Math.max(index, 0), axis.size - 1)) * axis.stride;
}

function linearPlace(pixel: number, pixels: number, axis: RasterAxis): { a: number; b: number; t: number } {
  const position = Math.min(Math.max(sourcePosition(pixel, pixels, axis), 0), axis.size - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, axis.size - 1);
  return { a: (axis.first + below) * axis.stride, b: (axis.first + above) * axis.stride, t: position - below };
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** The view cut to what the maps label in a slice, with a margin; unchanged where nothing is labelled. */
export function cropView(
  view: AxialView,
  maps: readonly Volume<Uint8Array>[],
  slice: number,
  marginMm: number,
): AxialView {
  const { across, down } = view;
  const low = [across.size, down.size];
  const high = [-1, -1];
  for (const { voxels } of maps) {
    for (let y = 0; y < down.size; y++) {
      for (let x = 0; x < across.size; x++) {
        if (voxels[slice * view.sliceStride + y * down.stride + x * across.stride] === 0) continue;
        if (x < low[0]) low[0] = x;
        if (x > high[0]) high[0] = x;
        if (y < low[1]) low[1] = y;
        if (y > high[1]) high[1] = y;
      }
    }
  }
  if (high[0] < 0) return view;
  const cut = (axis: RasterAxis, n: 0 | 1, sizeMm: number): { axis: RasterAxis; mm: number } => {
    const voxelMm = sizeMm / axis.size;
    const first = Math.max(0, Math.floor(low[n] - marginMm / voxelMm));
    const last = Math.min(axis.size - 1, Math.ceil(high[n] + marginMm / voxelMm));
    return { axis: { ...axis, first, size: last - first + 1 }, mm: (last - first + 1) * voxelMm };
  };
  const x = cut(across, 0, view.widthMm);
  const y = cut(down, 1, view.heightMm);
  return { ...view, across: x.axis, down: y.axis, widthMm: x.mm, heightMm: y.mm };
}
