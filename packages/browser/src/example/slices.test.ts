import type { Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { paintSlice, pixelMm, planeSize, richestSlice } from './slices.js';

/** 2 × 3 × 4 voxels of 1 × 2 × 5 mm in LPS order; each voxel's value is its index. */
const size = [2, 3, 4] as const;
const affine = [-1, 0, 0, 0, 0, -2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1];
const scan: Volume = { voxels: Float32Array.from({ length: 24 }, (_, i) => i), size, affine };
const labels: Volume<Uint8Array> = { voxels: new Uint8Array(24), size, affine };
labels.voxels[13] = 3;
const look = { window: [0, 255], colors: new Map(), opacity: 0.5 } as const;
const greys = (pixels: Uint8ClampedArray): number[] => [...pixels].filter((_, i) => i % 4 === 0);

describe('slices', () => {
  it('have the size and the pixels of their plane', () => {
    expect(planeSize(scan, 'axial')).toEqual([2, 3, 4]);
    expect(planeSize(scan, 'coronal')).toEqual([2, 4, 3]);
    expect(planeSize(scan, 'sagittal')).toEqual([3, 4, 2]);
    expect(pixelMm(scan, 'axial')).toEqual([1, 2]);
    expect(pixelMm(scan, 'sagittal')).toEqual([2, 5]);
  });

  it('show right on the left, front and head above', () => {
    expect(greys(paintSlice(scan, labels, 'axial', 1, look))).toEqual([6, 7, 8, 9, 10, 11]);
    expect(greys(paintSlice(scan, labels, 'coronal', 0, look))).toEqual([18, 19, 12, 13, 6, 7, 0, 1]);
    expect(greys(paintSlice(scan, labels, 'sagittal', 1, look))).toEqual([19, 21, 23, 13, 15, 17, 7, 9, 11, 1, 3, 5]);
  });

  it('blend the colours of the classes that are shown, and clip what is outside the window', () => {
    const colors = new Map([[3, [255, 0, 101]]] as const);
    const pixels = paintSlice(scan, labels, 'axial', 2, { window: [13, 14], colors, opacity: 0.5 });
    expect([...pixels.subarray(0, 12)]).toEqual([0, 0, 0, 255, 128, 0, 50, 255, 255, 255, 255, 255]);
  });

  it('the one with most of a class is found, else the middle one', () => {
    expect(richestSlice(labels, 'axial', 3)).toBe(2);
    expect(richestSlice(labels, 'sagittal', 3)).toBe(1);
    expect(richestSlice(labels, 'axial', 1)).toBe(2);
  });
});
