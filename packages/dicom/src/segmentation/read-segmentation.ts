/**
 * Segmentations in: binary segments (PS3.3, C.8.20) and label maps (Supplement 243) on the grid of the series that
 * they belong to. Fractional ones are refused: a threshold would be a guess.
 *
 * Each frame states its own place; it must coincide with a plane of the grid, pixel on pixel. Frames that were drawn
 * on a part of the plane are placed where they belong.
 */
import { type Affine, applyAffine, invertAffine, type Size3, type Vector3 } from '@quickcolumn/volume';
import { int16, items, text } from '../data-set/data-set.js';
import { DicomError } from '../dicom-error.js';
import { decodeFrame, type StoredValues } from '../codecs/pixels.js';
import { type DicomFile, readFile } from '../data-set/read-file.js';
import type { Region } from './regions.js';
import { type SliceHeader, sliceHeaders } from '../series/slice-header.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { tags } from '../data-set/tags.js';
import { plus } from '../series/vectors.js';

/** Of a voxel: how far a frame may lie beside the grid. */
const tolerance = 0.1;

/** Reads a segmentation. Throws DicomError `labels` when it does not fit the grid, or is of another kind. */
export async function readSegmentation(
  source: DicomSource,
  grid: { readonly size: Size3; readonly affine: Affine },
): Promise<Region[]> {
  const file = await readFile(source);
  const { dataSet } = file;
  const kind = text(dataSet, tags.SegmentationType) ?? '';
  const slices = sliceHeaders(file);
  const segments = items(dataSet, tags.SegmentSequence);
  const fail = (problem: string): never => {
    throw new DicomError(source.name, 'labels', problem);
  };
  if (slices === undefined || segments.length === 0) return fail('is no segmentation with segments and pixels');
  if (kind !== 'BINARY' && kind !== 'LABELMAP') return fail(`is a segmentation of type '${kind}'; expected BINARY`);
  const toVoxel = invertAffine(grid.affine);
  const frames: PlacedFrame[] = [];
  for (const slice of slices) {
    const segment = kind === 'BINARY' ? segmentOf(file, slice.frame) : undefined;
    if (kind === 'BINARY' && segment === undefined) fail(`frame ${slice.frame + 1} names no segment`);
    frames.push({ ...placeOf(slice, toVoxel, { size: grid.size, fail }), segment, slice });
  }
  const runs = new Map<number, number[]>();
  for (const frame of frames) {
    const values = await decodeFrame(file, frame.slice.format, frame.slice.frame);
    addRuns(values, frame, { size: grid.size, runs });
  }
  const described = new Set(segments.map((segment) => int16(segment, tags.SegmentNumber)));
  const padding = slices[0].format.padding ?? [-1, -1];
  for (const number of runs.keys()) {
    const isPadding = kind === 'LABELMAP' && number >= padding[0] && number <= padding[1];
    if (!described.has(number) && !isPadding) fail(`has voxels of segment ${number}, which it does not describe`);
  }
  // Label maps may describe their background as segment 0.
  const drawn = segments.filter((segment) => (int16(segment, tags.SegmentNumber) ?? 0) > 0);
  return drawn.map((segment): Region => {
    const number = int16(segment, tags.SegmentNumber) ?? 0;
    const own = runs.get(number) ?? [];
    return {
      number,
      name: text(segment, tags.SegmentLabel) ?? `segment ${number}`,
      eachRun: (paint) => {
        for (let i = 0; i < own.length; i += 2) paint(own[i], own[i + 1]);
      },
    };
  });
}

interface PlacedFrame {
  readonly slice: SliceHeader;
  /** Of a binary frame; in a label map the values are the segments. */
  readonly segment?: number;
  /** Voxel of its first pixel. */
  readonly corner: Vector3;
}

function segmentOf({ dataSet }: DicomFile, frame: number): number | undefined {
  const own = items(dataSet, tags.PerFrameFunctionalGroupsSequence)[frame];
  const shared = items(dataSet, tags.SharedFunctionalGroupsSequence)[0];
  for (const group of [own, shared]) {
    const item = group === undefined ? undefined : items(group, tags.SegmentIdentificationSequence)[0];
    const number = item === undefined ? undefined : int16(item, tags.ReferencedSegmentNumber);
    if (number !== undefined) return number;
  }
  return undefined;
}

/** The voxel of the first pixel; every corner must lie on a voxel of the grid, in the same directions. */
function placeOf(
  slice: SliceHeader,
  toVoxel: Affine,
  { size, fail }: { size: Size3; fail: (problem: string) => never },
): { corner: Vector3 } {
  const { position, rowDirection, columnDirection, columnSpacingMm, rowSpacingMm, format } = slice;
  const where = `frame ${slice.frame + 1}`;
  if (!position || !rowDirection || !columnDirection || !columnSpacingMm || !rowSpacingMm) {
    return fail(`${where} has no place`);
  }
  const voxelOf = (column: number, row: number): Vector3 => {
    const lps = plus(plus(position, rowDirection, column * columnSpacingMm), columnDirection, row * rowSpacingMm);
    return applyAffine(toVoxel, [-lps[0], -lps[1], lps[2]]);
  };
  const found = voxelOf(0, 0);
  const corner: Vector3 = [Math.round(found[0]), Math.round(found[1]), Math.round(found[2])];
  const { columns, rows } = format;
  const lies = [
    [0, 0],
    [columns - 1, 0],
    [0, rows - 1],
  ].every(([column, row]) => {
    const voxel = voxelOf(column, row);
    const wanted = [corner[0] + column, corner[1] + row, corner[2]];
    return voxel.every((value, axis) => Math.abs(value - wanted[axis]) <= tolerance);
  });
  const inside = corner.every((value) => value >= 0) && corner[2] < size[2];
  if (!lies || !inside || corner[0] + columns > size[0] || corner[1] + rows > size[1]) {
    return fail(`${where} does not lie on the grid of the series; is it a segmentation of another series?`);
  }
  return { corner };
}

function addRuns(
  values: StoredValues,
  { slice, segment, corner }: PlacedFrame,
  { size, runs }: { size: Size3; runs: Map<number, number[]> },
): void {
  const { columns, rows } = slice.format;
  for (let row = 0, at = 0; row < rows; row++) {
    const base = (corner[2] * size[1] + corner[1] + row) * size[0] + corner[0];
    for (let column = 0; column < columns; ) {
      const value = values[at + column];
      let end = column + 1;
      while (end < columns && values[at + end] === value) end++;
      if (value !== 0) {
        const key = segment ?? value;
        const list = runs.get(key) ?? [];
        list.push(base + column, base + end);
        runs.set(key, list);
      }
      column = end;
    }
    at += columns;
  }
}
