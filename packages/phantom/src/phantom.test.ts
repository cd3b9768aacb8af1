import { countSteps } from '@quickcolumn/testing/count-steps';
import { axisCodes } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { generatePhantom, type Phantom, phantomLabels } from './phantom.js';

const seeds = [1, 2, 3, 4];
const cases = seeds.map((seed) => generatePhantom({ seed }));

/** Count, mean RAS position and HU values of a label. */
function region(phantom: Phantom, value: number): { count: number; meanMm: number[]; hu: number[] } {
  const { labels, image } = phantom;
  const [nx, ny] = labels.size;
  const a = labels.affine;
  const sum = [0, 0, 0];
  const hu: number[] = [];
  for (let at = 0; at < labels.voxels.length; at++) {
    if (labels.voxels[at] !== value) continue;
    const ijk = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
    for (let r = 0; r < 3; r++)
      sum[r] += a[4 * r] * ijk[0] + a[4 * r + 1] * ijk[1] + a[4 * r + 2] * ijk[2] + a[4 * r + 3];
    hu.push(image.voxels[at]);
  }
  return { count: hu.length, meanMm: sum.map((s) => s / hu.length), hu };
}

function median(values: number[]): number {
  return Int16Array.from(values).sort()[Math.floor(values.length / 2)];
}

/** toEqual walks half a million elements in seconds. */
function sameBytes(a: Int16Array | Uint8Array, b: Int16Array | Uint8Array): boolean {
  const bytes = (array: Int16Array | Uint8Array): Buffer =>
    Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return bytes(a).equals(bytes(b));
}

describe('generatePhantom', () => {
  it('repeats for a seed and differs between seeds', () => {
    const again = generatePhantom({ seed: 3 });
    expect(sameBytes(again.image.voxels, cases[2].image.voxels)).toBe(true);
    expect(sameBytes(again.labels.voxels, cases[2].labels.voxels)).toBe(true);
    expect(again.image.affine).toEqual(cases[2].image.affine);
    expect(new Set(cases.map((c) => c.image.affine.join())).size).toBe(cases.length);
    // Same size, other seed: other voxels.
    const [a, b] = [8, 9].map((seed) => generatePhantom({ seed, size: [48, 40, 20] }));
    expect(sameBytes(a.labels.voxels, b.labels.voxels)).toBe(false);
  });

  it('stores L-P-S with anisotropic spacing, near 112x96x48 voxels', () => {
    for (const { image, labels } of cases) {
      expect(axisCodes(image.affine)).toBe('LPS');
      expect([image.affine[1], image.affine[2], image.affine[4]]).toEqual([0, 0, 0]);
      expect(-image.affine[0]).toBeGreaterThan(2);
      expect(-image.affine[0]).toBeLessThan(3.3);
      expect(image.affine[10] / -image.affine[0]).toBeGreaterThan(1.3);
      expect(labels.size).toEqual(image.size);
      expect(image.size[0] * image.size[1] * image.size[2]).toBeLessThan(800_000);
    }
  });

  it('puts the right lung (2) at positive world x, the left lung (1) at negative x', () => {
    for (const phantom of cases) {
      const left = region(phantom, phantomLabels.leftLung);
      const right = region(phantom, phantomLabels.rightLung);
      expect(left.meanMm[0]).toBeLessThan(-30);
      expect(right.meanMm[0]).toBeGreaterThan(30);
    }
  });

  it('makes lungs of a plausible size, the left one smaller', () => {
    for (const phantom of cases) {
      const { affine } = phantom.image;
      const ml = (-affine[0] * -affine[5] * affine[10]) / 1000;
      const noLesions = generatePhantom({ seed: seeds[cases.indexOf(phantom)], lesionCount: 0 });
      const left = region(noLesions, 1).count * ml;
      const right = region(noLesions, 2).count * ml;
      expect(left).toBeLessThan(0.97 * right);
      expect(left).toBeGreaterThan(0.5 * right);
      expect(left + right).toBeGreaterThan(1500);
      expect(left + right).toBeLessThan(6500);
      expect(region(noLesions, 3).count).toBe(0);
    }
  });

  it('has air outside, dark lungs, soft tissue and bone', () => {
    for (const phantom of cases) {
      const { voxels, size } = phantom.image;
      const corners = [0, size[0] - 1, voxels.length - size[0], voxels.length - 1].map((at) => voxels[at]);
      for (const hu of corners) expect(Math.abs(hu + 1000)).toBeLessThan(50);
      expect(median(region(phantom, 1).hu)).toBeLessThan(-700);
      expect(median(region(phantom, 2).hu)).toBeLessThan(-700);
      const background = region(phantom, 0).hu;
      const share = (low: number, high: number): number =>
        background.filter((hu) => hu >= low && hu < high).length / voxels.length;
      expect(share(-160, -50)).toBeGreaterThan(0.03); // fat
      expect(share(0, 100)).toBeGreaterThan(0.1); // muscle, organs
      expect(share(200, 1500)).toBeGreaterThan(0.005); // bone
      expect(share(-1024, -950)).toBeGreaterThan(0.1); // air
    }
  });

  it('puts 1 to 6 lesions of the two kinds inside the lungs', () => {
    for (const phantom of cases) {
      expect(phantom.lesions.length).toBeGreaterThanOrEqual(1);
      expect(phantom.lesions.length).toBeLessThanOrEqual(6);
      const infection = region(phantom, 3).count;
      const lungs = region(phantom, 1).count + region(phantom, 2).count + infection;
      expect(infection / lungs).toBeGreaterThan(0.001);
      expect(infection / lungs).toBeLessThan(0.6);
    }
    const glass = generatePhantom({ seed: 11, lesionCount: 4, lesionKinds: ['ground-glass'] });
    const solid = generatePhantom({ seed: 11, lesionCount: 4, lesionKinds: ['consolidation'] });
    expect(median(region(glass, 3).hu)).toBeGreaterThan(-650);
    expect(median(region(glass, 3).hu)).toBeLessThan(-380);
    expect(median(region(solid, 3).hu)).toBeGreaterThan(-180);
    expect(median(region(solid, 3).hu)).toBeLessThan(60);
  });

  it('keeps every infected voxel within the lungs of the same chest without lesions', () => {
    const bare = generatePhantom({ seed: 4, lesionCount: 0 });
    const { labels } = cases[3];
    let outside = 0;
    labels.voxels.forEach((value, at) => {
      if (value === 3 && bare.labels.voxels[at] === 0) outside++;
    });
    expect(outside).toBe(0);
  });

  it('has noise that is correlated between neighbours', () => {
    const { image, labels } = generatePhantom({ seed: 21, lesionCount: 0 });
    let covariance = 0;
    let variance = 0;
    for (let at = 0; at < image.size[0] * 8; at++) {
      if (labels.voxels[at] !== 0 || image.voxels[at] > -900 || image.voxels[at + 1] > -900) continue;
      const [a, b] = [image.voxels[at] + 1000, image.voxels[at + 1] + 1000];
      covariance += a * b;
      variance += a * a;
    }
    expect(covariance / variance).toBeGreaterThan(0.2);
    expect(variance).toBeGreaterThan(0);
  });

  it('takes work in proportion to its voxels', async () => {
    for (const size of [undefined, [48, 48, 24]] as const) {
      let voxels = 0;
      const { steps } = await countSteps(() => {
        voxels = generatePhantom({ seed: 5, ...(size && { size }) }).image.voxels.length;
      });
      expect(steps / voxels).toBeLessThan(150);
    }
  });

  it('takes other sizes', () => {
    const small = generatePhantom({ seed: 1, size: [32, 28, 16], spacingMm: [3, 3, 5] });
    expect(small.image.size).toEqual([32, 28, 16]);
    expect(new Set(small.labels.voxels)).toEqual(new Set([0, 1, 2, 3]));
  });

  it('refuses options that make no case', () => {
    expect(() => generatePhantom({ seed: 1.5 })).toThrow('seed is 1.5');
    expect(() => generatePhantom({ seed: 1, size: [8, 96, 48] })).toThrow('size is 8×96×48');
    expect(() => generatePhantom({ seed: 1, spacingMm: [1, 0, 1] })).toThrow('spacingMm is 1×0×1');
    expect(() => generatePhantom({ seed: 1, lesionCount: -1 })).toThrow('lesionCount is -1');
  });
});
