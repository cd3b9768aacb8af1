/**
 * Overlay pictures: image | truth | prediction side by side for one axial slice, as RGB.
 *
 * Radiological display: the patient's right is on the left of the picture and anterior is up, that is raster x runs to
 * the patient's left (L) and raster y to posterior (P), whatever order and direction the voxels are stored in. Oblique
 * grids are shown along their nearest axes, not resliced. Pixels are square: in-plane spacing is made isotropic.
 */
import { encodePng } from '@quickcolumn/io';
import { type Affine, axisDirections, spacingMm, type Size3, type Volume } from '@quickcolumn/volume';
import { EvaluationError } from './errors.js';
import { findLungRoles, requireSameGrid } from './metrics.js';
import type { LabelClass } from './types.js';

export interface OverlayOptions {
  /** Index along the scan's inferior–superior voxel axis; default the slice with the most infection. */
  readonly slice?: number;
  /** Class to choose the slice by; default the class named infection or lesion, else the last class. */
  readonly focus?: number;
  /** Intensities shown as black and white; default −1350…150 HU (lung window), 0…255 for scans without HU. */
  readonly window?: readonly [number, number];
  /** Opacity of the class colours, 0–1; outlines are always opaque. Default 0.35. */
  readonly opacity?: number;
  /** Width of one panel in pixels; default 384. */
  readonly panelWidth?: number;
}

export interface Overlay {
  readonly pngBytes: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Voxel index of the slice along the scan's inferior–superior axis. */
  readonly slice: number;
}

/** Pixels between two panels. */
const gap = 6;

/** Pixels of an overlay before encoding: width·height·3 bytes, rows from the top. */
export interface OverlayPixels {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly slice: number;
}

/**
 * Draws one axial slice as image | truth | prediction, or image | prediction without a truth, as PNG.
 * @throws GridMismatchError when the volumes do not share a grid; EvaluationError for a slice outside the volume.
 */
export function renderOverlay(
  image: Volume,
  maps: { readonly truth?: Volume<Uint8Array> | undefined; readonly prediction: Volume<Uint8Array> },
  classes: readonly LabelClass[],
  options: OverlayOptions = {},
): Overlay {
  const { rgb, width, height, slice } = drawOverlay(image, maps, classes, options);
  return { pngBytes: encodePng(width, height, rgb), width, height, slice };
}

/** As `renderOverlay`, without the encoding. */
export function drawOverlay(
  image: Volume,
  maps: { readonly truth?: Volume<Uint8Array> | undefined; readonly prediction: Volume<Uint8Array> },
  classes: readonly LabelClass[],
  options: OverlayOptions = {},
): OverlayPixels {
  const { truth, prediction } = maps;
  requireSameGrid(prediction, image, 'prediction', 'image');
  if (truth) requireSameGrid(truth, image, 'truth', 'image');
  const view = axialView(image.affine, image.size);
  const slices = view.count;
  const slice =
    options.slice ?? sliceWithMost(truth ? [truth, prediction] : [prediction], options.focus ?? focusOf(classes));
  if (!Number.isInteger(slice) || slice < 0 || slice >= slices) {
    throw new EvaluationError(`slice ${slice} is outside the volume; expected a whole number from 0 to ${slices - 1}`, {
      slice,
    });
  }
  const panelWidth = options.panelWidth ?? 384;
  const panelHeight = Math.max(1, Math.round((panelWidth * view.heightMm) / view.widthMm));
  const grey = drawImage(image, view, slice, panelWidth, panelHeight, options.window ?? defaultWindow(image));
  const panels = [grey];
  for (const map of truth ? [truth, prediction] : [prediction]) {
    const labels = drawLabels(map, view, slice, panelWidth, panelHeight);
    panels.push(blend(grey, labels, panelWidth, panelHeight, classes, options.opacity ?? 0.35));
  }
  const width = panels.length * panelWidth + (panels.length - 1) * gap;
  const rgb = new Uint8Array(width * panelHeight * 3).fill(255);
  panels.forEach((panel, n) => {
    for (let y = 0; y < panelHeight; y++) {
      const row = panel.subarray(y * panelWidth * 3, (y + 1) * panelWidth * 3);
      rgb.set(row, (y * width + n * (panelWidth + gap)) * 3);
    }
  });
  return { rgb, width, height: panelHeight, slice };
}

/**
 * Index, along the inferior–superior voxel axis, of the slice with the most voxels of a class over all maps; without
 * any, the slice with the most labelled voxels; without those, the middle one.
 */
export function sliceWithMost(maps: readonly Volume<Uint8Array>[], value: number): number {
  const { size, affine } = maps[0];
  const view = axialView(affine, size);
  const focus = new Float64Array(view.count);
  const labelled = new Float64Array(view.count);
  const [nx, ny, nz] = size;
  for (const { voxels } of maps) {
    const index = [0, 0, 0];
    for (let i = 0; index[2] < nz; index[2]++) {
      for (index[1] = 0; index[1] < ny; index[1]++) {
        for (index[0] = 0; index[0] < nx; index[0]++, i++) {
          const label = voxels[i];
          if (label === 0) continue;
          labelled[index[view.sliceAxis]]++;
          if (label === value) focus[index[view.sliceAxis]]++;
        }
      }
    }
  }
  const best = (counts: Float64Array): number => counts.indexOf(Math.max(...counts));
  if (focus.some((count) => count > 0)) return best(focus);
  return labelled.some((count) => count > 0) ? best(labelled) : Math.floor(view.count / 2);
}

/** How raster x (to the patient's left) and y (to posterior) run through the voxels. */
interface AxialView {
  readonly sliceAxis: number;
  readonly count: number;
  readonly sliceStride: number;
  readonly across: RasterAxis;
  readonly down: RasterAxis;
  readonly widthMm: number;
  readonly heightMm: number;
}

interface RasterAxis {
  readonly size: number;
  readonly stride: number;
  /** Voxel index runs against the raster. */
  readonly flip: boolean;
}

function axialView(affine: Affine, size: Size3): AxialView {
  const directions = axisDirections(affine);
  const spacing = spacingMm(affine);
  const strides = [1, size[0], size[0] * size[1]];
  const voxelAxis = (worldAxis: number): number => directions.findIndex((d) => d.worldAxis === worldAxis);
  // World axes are right, anterior, superior; the raster runs to left and posterior, so a positive sign flips.
  const raster = (axis: number): RasterAxis => ({
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

function drawImage(
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

function drawLabels(
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
function blend(
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

/** Spec section 3: a scan whose minimum is below −200 is in HU. */
function defaultWindow(image: Volume): readonly [number, number] {
  const { voxels } = image;
  for (let i = 0; i < voxels.length; i++) if (voxels[i] < -200) return [-1350, 150];
  return [0, 255];
}

function focusOf(classes: readonly LabelClass[]): number {
  const named = findLungRoles(classes)?.infection ?? classes.find((c) => /infect|lesion|tumou?r/i.test(c.name))?.value;
  return named ?? classes.at(-1)?.value ?? 1;
}

function sourcePosition(pixel: number, pixels: number, axis: RasterAxis): number {
  const position = ((pixel + 0.5) * axis.size) / pixels - 0.5;
  return axis.flip ? axis.size - 1 - position : position;
}

function nearestPlace(pixel: number, pixels: number, axis: RasterAxis): number {
  const index = Math.round(sourcePosition(pixel, pixels, axis));
  return Math.min(Math.max(index, 0), axis.size - 1) * axis.stride;
}

function linearPlace(pixel: number, pixels: number, axis: RasterAxis): { a: number; b: number; t: number } {
  const position = Math.min(Math.max(sourcePosition(pixel, pixels, axis), 0), axis.size - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, axis.size - 1);
  return { a: below * axis.stride, b: above * axis.stride, t: position - below };
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}
