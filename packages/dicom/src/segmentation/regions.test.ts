/** Structure sets and segmentations as labels: the even–odd rule against a point-in-polygon test, and refusals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../dicom.test.helpers.js';
import { readStructures } from './read-structures.js';
import { paintRegions, parseRegionValues, type PaintOptions } from './regions.js';
import type { DicomSource } from '../sources/dicom-source.js';
import { tags } from '../data-set/tags.js';
import { element, encodeFile, type WriteElement } from '../data-set/write-data-set.js';

type Point = readonly [number, number];
interface Roi {
  readonly name: string;
  /** Contours in millimetres of patient space (x, y), at height z. */
  readonly contours: readonly { readonly z: number; readonly points: readonly Point[]; readonly kind?: string }[];
}

/** Voxels of 2 × 1 × 3 mm; the first centre at LPS (10, −5, 30). */
const grid = {
  size: [12, 10, 3] as const,
  affine: [-2, 0, 0, -10, 0, -1, 0, 5, 0, 0, 3, 30, 0, 0, 0, 1],
  frameOfReferenceUid: '1.2.9',
};

function structureSet(rois: readonly Roi[], frame: string = '1.2.9'): DicomSource {
  const contour = ({ z, points, kind = 'CLOSED_PLANAR' }: Roi['contours'][number]): WriteElement[] => [
    element(tags.ContourGeometricType, 'CS', kind),
    element(tags.ContourNumberOfPoints, 'IS', String(points.length)),
    element(tags.ContourData, 'DS', points.map(([x, y]) => `${x}\\${y}\\${z}`).join('\\')),
  ];
  const bytes = encodeFile(
    [
      element(tags.Modality, 'CS', 'RTSTRUCT'),
      element(
        tags.StructureSetROISequence,
        'SQ',
        rois.map(({ name }, i) => [
          element(tags.ROINumber, 'IS', String(i + 1)),
          element(tags.ReferencedFrameOfReferenceUID, 'UI', frame),
          element(tags.ROIName, 'LO', name),
        ]),
      ),
      element(
        tags.ROIContourSequence,
        'SQ',
        rois.map(({ contours }, i) => [
          element(tags.ContourSequence, 'SQ', contours.map(contour)),
          element(tags.ReferencedROINumber, 'IS', String(i + 1)),
        ]),
      ),
    ],
    { classUid: '1.2.840.10008.5.1.4.1.1.481.3', instanceUid: '1.2.3' },
  );
  return memorySource('rt.dcm', bytes);
}

async function paint(rois: readonly Roi[], options: PaintOptions = {}): Promise<Uint8Array> {
  return paintRegions('rt.dcm', await readStructures(structureSet(rois), grid), grid, options).labels.voxels;
}

/** Corners from voxel (x0, y0) to (x1, y1), between centres, so that whole voxels are in or out. */
function box(x0: number, y0: number, x1: number, y1: number): Point[] {
  const at = (x: number, y: number): Point => [10 + 2 * (x - 0.5), -5 + (y - 0.5)];
  return [at(x0, y0), at(x1 + 1, y0), at(x1 + 1, y1 + 1), at(x0, y1 + 1)];
}

const marked = (voxels: Uint8Array, value: number = 1): number[] =>
  Array.from(voxels.keys()).filter((i) => voxels[i] === value);

describe('contours', () => {
  it('fill the voxels whose centres they enclose, on their plane', async () => {
    const voxels = await paint([{ name: 'a', contours: [{ z: 33, points: box(2, 3, 3, 4) }] }]);
    expect(marked(voxels)).toEqual([120 + 38, 120 + 39, 120 + 50, 120 + 51]);
  });

  it('inside others make holes', async () => {
    const voxels = await paint([
      {
        name: 'a',
        contours: [
          { z: 30, points: box(1, 1, 5, 3) },
          { z: 30, points: box(2, 2, 4, 2) },
        ],
      },
    ]);
    expect(marked(voxels)).toHaveLength(15 - 3);
    expect(voxels[2 * 12 + 3]).toBe(0);
  });

  it('reach beyond the grid without harm', async () => {
    expect(marked(await paint([{ name: 'a', contours: [{ z: 36, points: box(-50, -50, 80, 80) }] }]))).toHaveLength(
      120,
    );
  });

  it('that are points or open lines enclose nothing', async () => {
    expect(
      marked(await paint([{ name: 'a', contours: [{ z: 30, points: box(1, 1, 5, 3), kind: 'OPEN_PLANAR' }] }])),
    ).toEqual([]);
  });

  it('equal the even–odd rule at every centre', async () => {
    const point = fc.tuple(fc.double({ min: -3, max: 14, noNaN: true }), fc.double({ min: -3, max: 12, noNaN: true }));
    const polygon = fc.array(point, { minLength: 3, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(fc.array(polygon, { minLength: 1, maxLength: 3 }), async (polygons) => {
        const contours = polygons.map((points) => ({
          z: 30,
          points: points.map(([x, y]): Point => [10 + 2 * x, y - 5]),
        }));
        const voxels = await paint([{ name: 'a', contours }]);
        for (let y = 0; y < 10; y++) {
          for (let x = 0; x < 12; x++) {
            const distance = Math.min(...polygons.map((points) => distanceToEdges(points, [x, y])));
            // On an edge either answer is right, and rounding to text decides.
            if (distance > 1e-6) expect(voxels[y * 12 + x]).toBe(isInside(polygons, [x, y]) ? 1 : 0);
          }
        }
      }),
      { numRuns: 150, seed: 5 },
    );
  });
});

function isInside(polygons: readonly (readonly Point[])[], [x, y]: Point): boolean {
  let inside = false;
  for (const points of polygons) {
    for (const [i, [x1, y1]] of points.entries()) {
      const [x2, y2] = points[(i + 1) % points.length];
      if (y1 > y !== y2 > y && x < x1 + ((y - y1) * (x2 - x1)) / (y2 - y1)) inside = !inside;
    }
  }
  return inside;
}

function distanceToEdges(points: readonly Point[], [x, y]: Point): number {
  return Math.min(
    ...points.map(([x1, y1], i) => {
      const [x2, y2] = points[(i + 1) % points.length];
      const length = (x2 - x1) ** 2 + (y2 - y1) ** 2;
      const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length));
      return Math.hypot(x - x1 - t * (x2 - x1), y - y1 - t * (y2 - y1));
    }),
  );
}

describe('regions', () => {
  const rois: Roi[] = [
    { name: 'Lung_L', contours: [{ z: 30, points: box(1, 1, 5, 5) }] },
    { name: 'GTV', contours: [{ z: 30, points: box(3, 3, 6, 6) }] },
  ];

  it('that overlap are refused, or the last wins', async () => {
    await expect(paint(rois)).rejects.toThrow(/'GTV' and 'Lung_L' overlap; one of them has to win$/);
    await expect(paint(rois)).rejects.toMatchObject({
      fields: { options: { 'overlap last': 'let the later one win' } },
    });
    const voxels = await paint(rois, { overlap: 'last' });
    expect([marked(voxels, 1).length, marked(voxels, 2).length]).toEqual([25 - 9, 16]);
    const values = parseRegionValues('gtv=3,lung_l=1');
    const turned = await paint(rois, { overlap: 'last', values });
    expect([marked(turned, 1).length, marked(turned, 3).length]).toEqual([25, 16 - 9]);
  });

  it('that are not named are left out, and names must exist', async () => {
    expect(marked(await paint(rois, { values: parseRegionValues('GTV=7') }), 7)).toHaveLength(16);
    await expect(paint(rois, { values: parseRegionValues('Heart=1') })).rejects.toThrow(
      "no region 'heart'; it has 'Lung_L', 'GTV'",
    );
    expect(() => parseRegionValues('GTV=300')).toThrow(/no NAME=VALUE/);
  });

  it.each([
    [
      'between planes',
      structureSet([{ name: 'a', contours: [{ z: 31.5, points: box(1, 1, 2, 2) }] }]),
      /lies between the planes/,
    ],
    [
      'outside',
      structureSet([{ name: 'a', contours: [{ z: 60, points: box(1, 1, 2, 2) }] }]),
      /outside the series \(plane 11 of 3\)/,
    ],
    ['in another frame of reference', structureSet(rois, '1.2.8'), /another frame of reference/],
    [
      'that are no numbers',
      structureSet([{ name: 'a', contours: [{ z: Number.NaN, points: box(1, 1, 2, 2) }] }]),
      /no number/,
    ],
  ])('%s are refused', async (_, source, message) => {
    await expect(readStructures(source, grid)).rejects.toMatchObject({ code: 'dicom', reason: 'labels' });
    await expect(readStructures(source, grid)).rejects.toThrow(message);
  });
});
