import { covidClasses, reorient, type Size3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { prepareScan } from './prepare.js';
import { intensityQuartiles, scanFacts, trainingScans } from './scan-facts.js';

const preparation = { intensity: 'window', clipHu: [-1250, 250], spacingMm: [4, 4, 4], classes: covidClasses } as const;
const size: Size3 = [20, 16, 10];

/** A block of tissue of `tissueHu` with a block of lung in it, air around; axes L, P, S, voxels of 4 × 4 × 5 mm. */
function scanOf(tissueHu: number, lungHu = -850): { image: Volume<Int16Array>; labels: Volume<Uint8Array> } {
  const affine = [-4, 0, 0, 0, 0, -4, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1] as const;
  const within = (at: number, rim: number): boolean => {
    const [x, y] = [at % size[0], Math.floor(at / size[0]) % size[1]];
    return x >= rim && x < size[0] - rim && y >= rim && y < size[1] - rim;
  };
  const length = size[0] * size[1] * size[2];
  const hu = (at: number): number => (within(at, 5) ? lungHu : within(at, 2) ? tissueHu : -1000);
  return {
    image: { voxels: Int16Array.from({ length }, (_, at) => hu(at)), size, affine },
    labels: { voxels: Uint8Array.from({ length }, (_, at) => (within(at, 5) ? 1 : 0)), size, affine },
  };
}

const factsOf = (
  { image, labels }: ReturnType<typeof scanOf>,
  spacingMm: readonly [number, number, number] = [4, 4, 5],
) => scanFacts(prepareScan(image, { ...preparation, spacingMm }, { labels }));

describe('facts of a scan', () => {
  it('are its voxels, field of view, quartiles of air and tissue inside the body, and volumes', () => {
    const air = Math.round(((-850 + 1250) / 1500) * 255);
    const tissue = Math.round(((50 + 1250) / 1500) * 255);
    expect(factsOf(scanOf(50))).toEqual({
      spacingMm: [4, 4, 5],
      fieldMm: [80, 64, 50],
      intensities: intensityQuartiles.map(({ of }) => (of === 'air' ? air : tissue)),
      volumesMl: { 1: expect.closeTo(10 * 6 * 10 * 0.08, 6) },
    });
  });

  it('are the same however the scan is stored', () => {
    const { image, labels } = scanOf(50);
    const turned = { image: reorient(image, 'SRA'), labels: reorient(labels, 'SRA') };
    expect(turned.image.size).toEqual([10, 20, 16]);
    expect(factsOf(turned)).toEqual(factsOf({ image, labels }));
  });

  it('do not depend on how much air a scan shows, nor on the z-score', () => {
    const fixed = scanFacts(
      prepareScan(scanOf(50).image, { ...preparation, spacingMm: [4, 4, 5], intensity: 'fixed' }),
    );
    expect(fixed.intensities).toEqual(factsOf(scanOf(50)).intensities);
    expect(fixed).not.toHaveProperty('volumesMl');
  });

  it('hold no intensities of a scan that shows no body, or no air in it', () => {
    expect(factsOf(scanOf(-1000, -1000)).intensities).toBeNull();
    expect(factsOf(scanOf(50, 50)).intensities).toBeNull();
  });
});

describe('ranges', () => {
  it('go from the lowest to the highest; a class that a scan does not show counts as 0', () => {
    const [one, other] = [factsOf(scanOf(50)), factsOf(scanOf(-50, -700))];
    const { volumesMl: _none, ...unlabelled } = other;
    const ranges = trainingScans([one, { ...unlabelled, volumesMl: {}, spacingMm: [4, 4, 7.123456] }]);
    expect(ranges).toMatchObject({
      cases: 2,
      spacingMm: [
        [4, 4],
        [4, 4],
        [5, 7.123],
      ],
      volumesMl: { 1: [0, 48] },
    });
    expect(ranges?.intensities).toEqual(
      intensityQuartiles.map((_, n) => {
        const pair = [one, other].map(({ intensities }) => intensities?.[n] ?? Number.NaN);
        return [Math.min(...pair), Math.max(...pair)];
      }),
    );
  });

  it('of nothing are nothing', () => {
    expect(trainingScans([])).toBeUndefined();
    expect(trainingScans([factsOf(scanOf(-1000, -1000))])).toBeUndefined();
  });
});
