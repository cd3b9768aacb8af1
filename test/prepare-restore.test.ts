/**
 * Prepare and restore as a pair on phantoms stored with permuted, flipped and oblique axes: the restored mask has the
 * scan's exact shape and affine and loses less than 0.01 lung Dice. Here, because phantom and pipeline are siblings.
 */
import { generatePhantom } from '@quickcolumn/phantom';
import { paperPreparation, prepareScan, restoreProbabilities } from '@quickcolumn/pipeline';
import {
  type Affine,
  covidClasses,
  multiplyAffine,
  permuteAndFlip,
  type Reorientation,
  reorientedAffine,
  type Volume,
  type VoxelArray,
} from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';

type Stored = Reorientation & { readonly name: string; readonly tiltDegrees: number };

const layouts: readonly Stored[] = [
  { name: 'as generated', permutation: [0, 1, 2], flip: [false, false, false], tiltDegrees: 0 },
  { name: 'R-A-S', permutation: [0, 1, 2], flip: [true, true, false], tiltDegrees: 0 },
  { name: 'sagittal, slices last', permutation: [1, 2, 0], flip: [false, true, false], tiltDegrees: 0 },
  { name: 'coronal and oblique', permutation: [0, 2, 1], flip: [true, false, true], tiltDegrees: 14 },
  { name: 'oblique', permutation: [0, 1, 2], flip: [false, false, false], tiltDegrees: -11 },
];

function store<T extends VoxelArray>({ voxels, size, affine }: Volume<T>, layout: Stored): Volume<T> {
  const angle = (layout.tiltDegrees * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const tilt: Affine = [1, 0, 0, 0, 0, c, -s, 0, 0, s, c, 0, 0, 0, 0, 1];
  const moved = permuteAndFlip(voxels, size, layout);
  return { ...moved, affine: multiplyAffine(tilt, reorientedAffine(affine, size, layout)) };
}

function dice(a: Uint8Array, b: Uint8Array, value: number): number {
  let both = 0;
  let sum = 0;
  for (let at = 0; at < a.length; at++) {
    if (a[at] === value) sum++;
    if (b[at] === value) sum++;
    if (a[at] === value && b[at] === value) both++;
  }
  return (2 * both) / sum;
}

function oneHot(labels: Uint8Array, value: number): Float32Array {
  const result = new Float32Array(labels.length);
  for (let at = 0; at < labels.length; at++) if (labels[at] === value) result[at] = 1;
  return result;
}

const phantom = generatePhantom({ seed: 17 });
const upright = prepareScan(phantom.image, paperPreparation, { labels: phantom.labels });

describe('prepare and restore of phantoms', () => {
  it.each(layouts)('$name', (layout) => {
    const image = store(phantom.image, layout);
    const labels = store(phantom.labels, layout);
    const prepared = prepareScan(image, paperPreparation, { labels });
    const truth = prepared.labels ?? new Uint8Array();
    // However it is stored, the network sees the same chest.
    expect(prepared.size).toEqual(upright.size);
    // Compared as bytes: toEqual walks millions of elements in seconds.
    expect(Buffer.from(truth).equals(upright.labels ?? new Uint8Array())).toBe(true);
    let worst = 0;
    for (let at = 0; at < truth.length; at++) worst = Math.max(worst, Math.abs(prepared.image[at] - upright.image[at]));
    expect(worst).toBeLessThan(1e-3);
    const restored = restoreProbabilities(
      (c) => oneHot(truth, covidClasses[c].value),
      covidClasses,
      prepared.size,
      prepared.undo,
    );
    expect(restored.size).toEqual(image.size);
    expect(restored.affine).toEqual(image.affine);
    expect(dice(restored.voxels, labels.voxels, 1)).toBeGreaterThan(0.99);
    expect(dice(restored.voxels, labels.voxels, 2)).toBeGreaterThan(0.99);
    expect(dice(restored.voxels, labels.voxels, 3)).toBeGreaterThan(0.97);
  });
});
