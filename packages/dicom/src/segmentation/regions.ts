/**
 * Named regions of a volume, from a segmentation or a structure set, painted into one label map.
 *
 * The trap: regions overlap (an infection lies in a lung), but a label map has one value a voxel. Overlaps are refused
 * unless the caller says that later regions win; the order is then that of the values asked for.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Affine, type Size3, type Volume, voxelCount } from '@quickcolumn/volume';
import { DicomError } from '../dicom-error.js';

/** Voxels of the grid from `start` to before `end`, in the order of the volume. */
export type PaintRun = (start: number, end: number) => void;

export interface Region {
  /** Segment or ROI number. */
  readonly number: number;
  readonly name: string;
  /** Calls `paint` for the voxels inside; some may come twice. */
  readonly eachRun: (paint: PaintRun) => void;
}

export interface PaintOptions {
  /** Label value of each region by its name (capitals do not matter); others are left out. Default: its number. */
  readonly values?: ReadonlyMap<string, number>;
  /** `refuse` (default), or `last`: the region that comes last in `values`, else that with the higher number. */
  readonly overlap?: 'refuse' | 'last';
}

export interface PaintedRegion {
  readonly number: number;
  readonly name: string;
  /** Value in the labels, undefined for a region that was left out. */
  readonly value?: number;
  readonly voxels: number;
}

export interface PaintedLabels {
  readonly labels: Volume<Uint8Array>;
  readonly regions: readonly PaintedRegion[];
}

/** Parses 'Lung_L=1,Lung_R=2'. Throws QuickcolumnError `usage`. */
export function parseRegionValues(list: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const entry of list.split(',')) {
    const at = entry.lastIndexOf('=');
    const [name, value] = [entry.slice(0, at).trim(), Number(entry.slice(at + 1))];
    if (at < 1 || name === '' || !Number.isInteger(value) || value < 1 || value > 255) {
      throw new QuickcolumnError('usage', `'${entry}' is no NAME=VALUE with a whole value from 1 to 255`);
    }
    values.set(name.toLowerCase(), value);
  }
  return values;
}

/** Paints the regions. Throws DicomError `labels` for overlaps, names that are not there and values beyond 255. */
export function paintRegions(
  path: string,
  regions: readonly Region[],
  grid: { readonly size: Size3; readonly affine: Affine },
  options: PaintOptions = {},
): PaintedLabels {
  const { values, overlap = 'refuse' } = options;
  const voxels = new Uint8Array(voxelCount(grid.size));
  const names = new Map(regions.map((region) => [region.name.toLowerCase(), region]));
  for (const name of values?.keys() ?? []) {
    if (names.has(name)) continue;
    const known = regions.map((region) => `'${region.name}'`).join(', ');
    throw new DicomError(path, 'labels', `has no region '${name}'; it has ${known}`);
  }
  const order =
    values === undefined
      ? [...regions].sort((a, b) => a.number - b.number).map((region) => ({ region, value: region.number }))
      : [...values].flatMap(([name, value]) =>
          regions.filter((region) => region.name.toLowerCase() === name).map((region) => ({ region, value })),
        );
  const counts = new Map<Region, number>();
  for (const { region, value } of order) {
    if (value < 1 || value > 255) {
      throw new DicomError(path, 'labels', `region number ${value} is no label value (1 to 255); give it one by name`);
    }
    let count = 0;
    region.eachRun((start, end) => {
      for (let i = start; i < end; i++) {
        const old = voxels[i];
        if (old === value) continue;
        if (old !== 0 && overlap === 'refuse') {
          const other = order.find((entry) => entry.value === old)?.region.name ?? '';
          throw new DicomError(path, 'labels', `'${region.name}' and '${other}' overlap; one of them has to win`, {
            options: { 'overlap last': 'let the later one win' },
          });
        }
        voxels[i] = value;
        count++;
      }
    });
    counts.set(region, count);
  }
  const valueOf = new Map(order.map(({ region, value }) => [region, value]));
  return {
    labels: { voxels, size: grid.size, affine: grid.affine },
    regions: regions.map((region) => ({
      number: region.number,
      name: region.name,
      value: valueOf.get(region),
      voxels: counts.get(region) ?? 0,
    })),
  };
}
