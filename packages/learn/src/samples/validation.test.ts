import { createRandom } from '@quickcolumn/random';
import { expect, it } from 'vitest';
import { drawCrop } from '../augment/crop.js';
import type { TrainingCase } from './sample-pool.js';
import { cutBatch, validationPlaces } from './validation.js';

/** Voxel values tell their own position: x + 100 y + 10000 z. */
function scan(size: readonly [number, number, number], lesion: readonly [number, number, number]): TrainingCase {
  const voxels = size[0] * size[1] * size[2];
  const position = (i: number): [number, number, number] => [
    i % size[0],
    Math.floor(i / size[0]) % size[1],
    Math.floor(i / (size[0] * size[1])),
  ];
  const image = Float32Array.from({ length: voxels }, (_, i) => {
    const [x, y, z] = position(i);
    return x + 100 * y + 10_000 * z;
  });
  const labels = new Uint8Array(voxels).fill(1, 0, voxels / 2);
  labels[lesion[0] + size[0] * (lesion[1] + size[1] * lesion[2])] = 3;
  return { name: 'scan', image, labels, size, airValue: -7 };
}

it('cuts the rarest class, the middle and places along z, inside the scan', () => {
  const cases = [scan([40, 30, 50], [39, 15, 2])];
  const places = validationPlaces(cases, [16, 16, 16], 4);
  expect(places.map((place) => place.start)).toEqual([
    [24, 7, 0],
    [12, 7, 17],
    [12, 7, 9],
    [12, 7, 25],
  ]);
  const { image, labels } = cutBatch(cases, [places[0], places[1]], [16, 16, 16]);
  expect(image[0]).toBe(24 + 700);
  expect(image[15 + 16 * 3 + 256 * 2]).toBe(39 + 1000 + 20_000);
  expect(labels[15 + 16 * 8 + 256 * 2]).toBe(3);
  expect(image[4096]).toBe(12 + 700 + 170_000);
});

it.each([3, 5, 7])('takes %i different places along z, evenly and none in the middle', (count) => {
  const [, ...others] = validationPlaces([scan([40, 30, 96], [39, 15, 2])], [16, 16, 16], count);
  const starts = others.map(({ start }) => start[2]);
  expect(starts).toEqual(others.map((_, index) => Math.round(((index + 1) * 96) / count - 8)));
  expect(new Set(starts).size).toBe(count - 1);
});

it('begins where training and prediction do in a scan that is smaller than the patch', () => {
  for (let size = 8; size <= 16; size++) {
    const [place] = validationPlaces([scan([size, 16, 20], [0, 0, 0])], [16, 16, 16], 1);
    const drawn = drawCrop(createRandom({ seed: 1, epoch: 0, sample: 0 }, 'crop'), [size, 16, 20], [16, 16, 16]);
    expect(place.start[0]).toBe(drawn[0] + 0);
  }
});

it('pads scans smaller than the patch with air and background', () => {
  const cases = [scan([10, 16, 20], [0, 0, 0])];
  const places = validationPlaces(cases, [16, 16, 16], 1);
  expect(places[0].start).toEqual([-3, 0, 0]);
  const { image, labels } = cutBatch(cases, places, [16, 16, 16]);
  expect([...image.subarray(0, 5)]).toEqual([-7, -7, -7, 0, 1]);
  expect([...labels.subarray(0, 5)]).toEqual([0, 0, 0, 3, 1]);
  expect([...image.subarray(12, 17)]).toEqual([9, -7, -7, -7, -7]);
  expect(image).toHaveLength(4096);
});

it('does not take voxels that are not annotated for the rarest class', () => {
  const one = scan([40, 30, 50], [39, 15, 2]);
  one.labels[0] = 255;
  const [before] = validationPlaces([scan([40, 30, 50], [39, 15, 2])], [16, 16, 16], 1);
  expect(validationPlaces([one], [16, 16, 16], 1)[0]).toEqual(before);
});
