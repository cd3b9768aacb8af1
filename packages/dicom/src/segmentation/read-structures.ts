/**
 * RT Structure Sets in (PS3.3, A.19): contours to voxels of a grid.
 *
 * A voxel belongs to a region when its centre lies inside the contours of its plane by the even–odd rule, over all
 * contours of the region on that plane: so an inner contour makes a hole, and a keyhole contour too. Each row of
 * voxel centres is one scan line; edges are half open, so a centre on a shared edge belongs to one side only.
 * The trap: contours must lie on planes of the grid. One that does not (another series, a resampled grid, a tilted
 * contour) is refused rather than moved.
 */
import { Buffer } from 'node:buffer';
import { type Affine, applyAffine, invertAffine, type Size3 } from '@quickcolumn/volume';
import { type DataSet, decimal, items, text, valueBytes } from '../data-set/data-set.js';
import { DicomError } from '../dicom-error.js';
import { dicomLimits } from '../limits.js';
import { readFile } from '../data-set/read-file.js';
import type { PaintRun, Region } from './regions.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { tags } from '../data-set/tags.js';

/** Of the distance of planes: how far a contour may lie beside one. */
const planeTolerance = 0.25;

export interface StructureGrid {
  readonly size: Size3;
  readonly affine: Affine;
  /** The contours must be in this frame of reference, where they name one. */
  readonly frameOfReferenceUid?: string;
}

/** Columns and rows of the points of a closed contour, on one plane. */
interface Contour {
  readonly plane: number;
  /** x0, y0, x1, y1, … in voxels. */
  readonly points: Float64Array;
}

/** Reads the regions that have closed contours. Throws DicomError `labels` or `limit`. */
export async function readStructures(source: DicomSource, grid: StructureGrid): Promise<Region[]> {
  const { dataSet } = await readFile(source);
  const path = source.name;
  const rois = items(dataSet, tags.StructureSetROISequence);
  if (rois.length === 0) throw new DicomError(path, 'labels', 'is no structure set with regions');
  const contoursOf = new Map<number, DataSet>();
  for (const item of items(dataSet, tags.ROIContourSequence)) {
    contoursOf.set(decimal(item, tags.ReferencedROINumber) ?? Number.NaN, item);
  }
  const budget = { points: 0 };
  const toVoxel = invertAffine(grid.affine);
  return rois.map((roi): Region => {
    const number = decimal(roi, tags.ROINumber) ?? 0;
    const name = text(roi, tags.ROIName) ?? `ROI ${number}`;
    const frame = text(roi, tags.ReferencedFrameOfReferenceUID);
    const expected = grid.frameOfReferenceUid ?? '';
    if (frame !== undefined && expected !== '' && frame !== expected) {
      throw new DicomError(path, 'labels', `region '${name}' is in another frame of reference than the series`);
    }
    const item = contoursOf.get(number);
    const contours: Contour[] = [];
    for (const contour of item === undefined ? [] : items(item, tags.ContourSequence)) {
      const kind = text(contour, tags.ContourGeometricType) ?? '';
      // Points and open lines enclose nothing.
      if (kind !== 'CLOSED_PLANAR' && kind !== 'CLOSEDPLANAR_XOR') continue;
      contours.push(readContour(contour, toVoxel, { path, name, budget, planes: grid.size[2] }));
    }
    return { number, name, eachRun: (paint) => fillContours(contours, grid.size, { paint, path }) };
  });
}

function readContour(
  contour: DataSet,
  toVoxel: Affine,
  { path, name, budget, planes }: { path: string; name: string; budget: { points: number }; planes: number },
): Contour {
  const bytes = valueBytes(contour, tags.ContourData) ?? new Uint8Array(0);
  const numbers = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1').split('\\');
  const count = Math.floor(numbers.length / 3);
  budget.points += count;
  if (budget.points > dicomLimits.contourPoints) {
    throw new DicomError(path, 'limit', `has more than ${dicomLimits.contourPoints} contour points`);
  }
  const fail = (problem: string): never => {
    throw new DicomError(path, 'labels', `a contour of '${name}' ${problem}`);
  };
  if (numbers.length % 3 !== 0 || count < 1) fail(`has ${numbers.length} numbers; expected three for each point`);
  const points = new Float64Array(2 * count);
  let plane = 0;
  for (let i = 0; i < count; i++) {
    const [x, y, z] = [Number(numbers[3 * i]), Number(numbers[3 * i + 1]), Number(numbers[3 * i + 2])];
    const [u, v, w] = applyAffine(toVoxel, [-x, -y, z]);
    if (!Number.isFinite(u + v + w)) fail('has a point that is no number');
    if (i === 0) plane = Math.round(w);
    if (Math.abs(w - plane) > planeTolerance) {
      fail(`lies between the planes of the series (at plane ${w.toFixed(2)}); it belongs to another series or grid`);
    }
    points[2 * i] = u;
    points[2 * i + 1] = v;
  }
  if (plane < 0 || plane >= planes) fail(`lies outside the series (plane ${plane + 1} of ${planes})`);
  return { plane, points };
}

/** Crossings of all edges with the scan lines of a plane, then pairs of them. */
function fillContours(
  contours: readonly Contour[],
  [columns, rows]: Size3,
  { paint, path }: { paint: PaintRun; path: string },
): void {
  const byPlane = new Map<number, Contour[]>();
  for (const contour of contours) {
    const own = byPlane.get(contour.plane);
    if (own === undefined) byPlane.set(contour.plane, [contour]);
    else own.push(contour);
  }
  for (const [plane, own] of byPlane) {
    const crossings: number[][] = Array.from({ length: rows }, () => []);
    let total = 0;
    for (const { points } of own) {
      const count = points.length / 2;
      for (let i = 0; i < count; i++) {
        const j = (i + 1) % count;
        const [x1, y1, x2, y2] = [points[2 * i], points[2 * i + 1], points[2 * j], points[2 * j + 1]];
        const from = Math.max(0, Math.ceil(Math.min(y1, y2)));
        const to = Math.min(rows, Math.ceil(Math.max(y1, y2)));
        total += Math.max(0, to - from);
        // Millions of edges over the whole height are no organ; they would only fill the memory.
        if (total > dicomLimits.contourPoints) throw new DicomError(path, 'limit', 'has contours that are too complex');
        for (let y = from; y < to; y++) crossings[y].push(x1 + ((y - y1) * (x2 - x1)) / (y2 - y1));
      }
    }
    for (const [y, places] of crossings.entries()) {
      places.sort((a, b) => a - b);
      const base = (plane * rows + y) * columns;
      for (let i = 0; i + 1 < places.length; i += 2) {
        const start = Math.max(0, Math.ceil(places[i]));
        const end = Math.min(columns, Math.ceil(places[i + 1]));
        if (start < end) paint(base + start, base + end);
      }
    }
  }
}
