import type { Volume } from '@quickcolumn/volume';
import { expect, test } from 'vitest';
import { continuityDefects } from './continuity.js';

const size = [64, 56, 30] as const;
const plane = size[0] * size[1];

/** A body with two lungs that narrow upwards, and noise: HU. */
function chest(padding = 0): Volume<Int16Array> {
  const voxels = new Int16Array(plane * size[2]);
  let noise = 1;
  for (let at = 0; at < voxels.length; at++) {
    const [i, j, k] = [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / plane)];
    noise = (noise * 16807) % 2147483647;
    // Edges are as soft as a scanner's.
    const share = (x: number, y: number, wide: number, deep: number): number =>
      Math.min(1, Math.max(0, (1 - Math.hypot((i - x) / wide, (j - y) / deep)) * 5));
    const body = share(32, 28, 16 + k / 2, 24 - k / 3);
    const lung = [20, 44].reduce((sum, x) => sum + share(x, 27, 9 - k / 4, 13 - k / 3), 0);
    const isPadding = k < padding || k >= size[2] - padding;
    voxels[at] = isPadding ? -2000 : -1000 + 1040 * body - 890 * lung + (noise % 40) - 20;
  }
  return { voxels, size, affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] };
}

/** The body with its slices in another order. */
function inOrder(order: readonly number[]): Volume {
  const { voxels, ...grid } = chest();
  const moved = voxels.slice();
  for (const [to, from] of order.entries()) moved.set(voxels.subarray(from * plane, (from + 1) * plane), to * plane);
  return { voxels: moved, ...grid };
}

function edited(edit: (slice: Int16Array) => void): Volume {
  const scan = chest();
  edit(scan.voxels.subarray(12 * plane, 13 * plane));
  return scan;
}

const upright = Array.from({ length: size[2] }, (_, k) => k);
const messages = (scan: Volume): string[] => continuityDefects(scan).map(({ message }) => message);

test('slices of one body raise no doubt, neither does padding around them', () => {
  expect(messages(chest())).toEqual([]);
  expect(messages(chest(4))).toEqual([]);
  expect(messages(inOrder(upright.toReversed()))).toEqual([]);
});

test.each([
  ['two neighbours exchanged', [...upright.slice(0, 10), 11, 10, ...upright.slice(12)]],
  ['two exchanged with others between', [...upright.slice(0, 10), 14, 11, 12, 13, 10, ...upright.slice(15)]],
  ['a run turned round', [...upright.slice(0, 10), 14, 13, 12, 11, 10, ...upright.slice(15)]],
  ['two runs exchanged', [...upright.slice(0, 10), 14, 15, 16, 10, 11, 12, 13, ...upright.slice(17)]],
])('%s', (_what, order) => {
  expect(messages(inOrder(order))).toEqual([
    expect.stringMatching(/^of 30 slices, .* (are not in the order of the body|is unlike its neighbours)/),
  ]);
});

test('half of the slices of another place', () => {
  expect(messages(inOrder(upright.map((k) => (k < 12 ? k : Math.min(29, k + 9)))))).not.toEqual([]);
});

test.each([
  ['another rescale', (slice: Int16Array) => slice.forEach((value, i) => (slice[i] = value + 1024))],
  ['a shifted image', (slice: Int16Array) => slice.copyWithin(12 * size[0], 0)],
])('one slice with %s', (_what, edit) => {
  expect(messages(edited(edit))).toEqual(['of 30 slices, 13 is unlike its neighbours']);
});

test('one image twice', () => {
  expect(messages(inOrder(upright.map((k) => (k === 13 ? 12 : k))))).toEqual([
    'of 30 slices, 13 and 14 are the same image',
  ]);
});

test('a slice that ends in one value, at the rim of the scan, too', () => {
  const scan = chest(2);
  scan.voxels.fill(-1024, 27 * plane + (plane >> 1), 28 * plane);
  expect(messages(scan)).toEqual(['of 30 slices, 28 ends in 50 % of one value']);
});

test('a copy that ended between two slices', () => {
  const scan = chest();
  scan.voxels.fill(0, 22 * plane);
  expect(messages(scan)).toEqual([
    'of 30 slices, 23 shows nothing but 0, 26 shows nothing but 0, 29 shows nothing but 0',
  ]);
});

test('slices exchanged at the very end', () => {
  expect(messages(inOrder([...upright.slice(0, 28), 29, 28]))).toEqual([
    expect.stringMatching(/not in the order of the body/),
  ]);
});

test('a slice whose bytes are in the other order, at the end of the scan', () => {
  const scan = chest();
  const last = scan.voxels.subarray(29 * plane);
  for (const [at, hu] of last.entries()) last[at] = ((((hu + 1024) & 0xff) << 8) | ((hu + 1024) >> 8)) - 1024;
  expect(messages(scan)).toEqual([expect.stringMatching(/^of 30 slices, 30 is above 4000 HU in \d+ % of it$/)]);
});
