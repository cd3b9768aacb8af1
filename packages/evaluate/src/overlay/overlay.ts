/**
 * Overlay pictures: image | truth | prediction side by side for one axial slice, as RGB.
 *
 * Radiological display: the patient's right is on the left of the picture and anterior is up, that is raster x runs to
 * the patient's left (L) and raster y to posterior (P), whatever order and direction the voxels are stored in. Oblique
 * grids are shown along their nearest axes, not resliced. Pixels are square: in-plane spacing is made isotropic.
 */
import { encodePng } from '@quickcolumn/io';
import { rolesOf } from '@quickcolumn/measure';
import { intensityScaleOf, type LabelClass, requireSameGrid, type Volume } from '@quickcolumn/volume';
import { EvaluationError } from '../errors.js';
import { axialView, blend, cropView, drawImage, drawLabels } from './overlay-view.js';

export interface OverlayOptions {
  /** Index along the scan's inferior–superior voxel axis; default the slice with the most lesion. */
  readonly slice?: number;
  /** Class to choose the slice by; default the first lesion class, else the last class. */
  readonly focus?: number;
  /** Intensities shown as black and white; default −1350…150 HU (lung window), 0…255 for scans without HU. */
  readonly window?: readonly [number, number];
  /** Opacity of the class colours, 0–1; outlines are always opaque. Default 0.35. */
  readonly opacity?: number;
  /** Cut the picture to what is labelled in the slice, with this margin; default the whole slice. */
  readonly cropMarginMm?: number;
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
  const named = [...(truth ? [{ name: 'truth', labels: truth }] : []), { name: 'prediction', labels: prediction }];
  const { panels, width: panelWidth, height, slice } = drawPanels(image, named, classes, options);
  const width = panels.length * panelWidth + (panels.length - 1) * gap;
  const rgb = new Uint8Array(width * height * 3).fill(255);
  panels.forEach((panel, n) => {
    for (let y = 0; y < height; y++) {
      const row = panel.subarray(y * panelWidth * 3, (y + 1) * panelWidth * 3);
      rgb.set(row, (y * width + n * (panelWidth + gap)) * 3);
    }
  });
  return { rgb, width, height, slice };
}

/** Panels of one slice, each width·height·3 bytes: the image alone, then every map over it. */
export interface OverlayPanels {
  readonly panels: readonly Uint8Array[];
  readonly width: number;
  readonly height: number;
  readonly slice: number;
}

/** The image and any number of maps over it, one panel each, all of the same slice; errors as `renderOverlay`. */
export function drawPanels(
  image: Volume,
  maps: ReadonlyArray<{ readonly name: string; readonly labels: Volume<Uint8Array> }>,
  classes: readonly LabelClass[],
  options: OverlayOptions = {},
): OverlayPanels {
  for (const { name, labels } of maps) requireSameGrid(labels, image, `the ${name}`, 'the image');
  const volumes = maps.map(({ labels }) => labels);
  const whole = axialView(image.affine, image.size);
  const slice = options.slice ?? sliceWithMost(volumes, options.focus ?? focusOf(classes));
  if (!Number.isInteger(slice) || slice < 0 || slice >= whole.count) {
    throw new EvaluationError(
      `slice ${slice} is outside the volume; expected a whole number from 0 to ${whole.count - 1}`,
      { slice },
    );
  }
  const view = options.cropMarginMm === undefined ? whole : cropView(whole, volumes, slice, options.cropMarginMm);
  const width = options.panelWidth ?? 384;
  const height = Math.max(1, Math.round((width * view.heightMm) / view.widthMm));
  const grey = drawImage(image, view, slice, width, height, options.window ?? defaultWindow(image));
  const colored = volumes.map((map) =>
    blend(grey, drawLabels(map, view, slice, width, height), width, height, classes, options.opacity ?? 0.35),
  );
  return { panels: [grey, ...colored], width, height, slice };
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

function defaultWindow(image: Volume): readonly [number, number] {
  return intensityScaleOf(image.voxels) === 'hu' ? [-1350, 150] : [0, 255];
}

/** Value of the class that slices are chosen by: the first lesion, else the last class. */
export function focusOf(classes: readonly LabelClass[]): number {
  return rolesOf(classes).lesions[0] ?? classes.at(-1)?.value ?? 1;
}
