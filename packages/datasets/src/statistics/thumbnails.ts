/**
 * One picture of a whole dataset: for every case the axial slice with most of its last class, plain and with the labels
 * drawn over it, and its name. Shows at a glance what numbers hide: flipped, shifted and exchanged labels.
 */
import { captionHeight, drawCaption, drawOverlay, type OverlayPixels } from '@quickcolumn/evaluate';
import { encodePng } from '@quickcolumn/io';
import { compareGrids, type LabelClass } from '@quickcolumn/volume';
import type { CheckedVolumes } from '../check/check.js';

/** Width of one panel; a case has two. */
const panelWidth = 160;
const margin = 6;
const captionRoom = captionHeight + 2 * margin;

export interface Thumbnail extends OverlayPixels {
  readonly caption: string;
}

/** The thumbnail of a case, or undefined when it has no labels on its own grid to draw. */
export function thumbnail(
  { facts, image, labels }: CheckedVolumes,
  classes: readonly LabelClass[],
): Thumbnail | undefined {
  if (labels === undefined || !compareGrids(image, labels).same) return undefined;
  const pixels = drawOverlay(image, { prediction: labels }, classes, { panelWidth });
  return { ...pixels, caption: `${facts.name} ${facts.scale === 'hu' ? 'HU' : '0-255'} Z${pixels.slice}` };
}

/** All thumbnails on one sheet, as PNG; undefined when there are none. */
export function thumbnailSheet(thumbnails: readonly Thumbnail[], columns: number = 3): Uint8Array | undefined {
  if (thumbnails.length === 0) return undefined;
  const count = Math.min(columns, thumbnails.length);
  const cellWidth = Math.max(...thumbnails.map(({ width }) => width)) + margin;
  const rows = Array.from({ length: Math.ceil(thumbnails.length / count) }, (_, row) =>
    thumbnails.slice(row * count, (row + 1) * count),
  );
  const heights = rows.map((row) => Math.max(...row.map(({ height }) => height)) + captionRoom);
  const width = count * cellWidth + margin;
  const height = heights.reduce((sum, rowHeight) => sum + rowHeight, margin);
  const sheet = { rgb: new Uint8Array(width * height * 3).fill(24), width };
  let top = margin;
  for (const [index, row] of rows.entries()) {
    for (const [column, { rgb, width: own, height: ownHeight, caption }] of row.entries()) {
      const left = margin + column * cellWidth;
      for (let y = 0; y < ownHeight; y++) {
        sheet.rgb.set(rgb.subarray(y * own * 3, (y + 1) * own * 3), ((top + y) * width + left) * 3);
      }
      drawCaption(sheet, caption, { x: left, y: top + ownHeight + margin, width: own });
    }
    top += heights[index];
  }
  return encodePng(width, height, sheet.rgb);
}
