import { reorient, type Volume } from '@quickcolumn/volume';
import { expect, test } from 'vitest';
import { lungDefects } from './lungs.js';

const size = [60, 50, 20] as const;

/** A body of 6 mm pixels in air; lungs from slice `from` to slice `to`, foam below the back in all. */
function chest(from: number, to: number, lung = -800): Volume<Int16Array> {
  const voxels = new Int16Array(size[0] * size[1] * size[2]).fill(-1000);
  for (let at = 0; at < voxels.length; at++) {
    const [i, j, k] = [at % size[0], Math.floor(at / size[0]) % size[1], Math.floor(at / (size[0] * size[1]))];
    if (((i - 30) / 26) ** 2 + ((j - 22) / 18) ** 2 < 1) voxels[at] = 40;
    const isLung = [18, 42].some((x) => ((i - x) / 7) ** 2 + ((j - 22) / 10) ** 2 < 1);
    if (isLung && k >= from && k <= to) voxels[at] = lung;
    if (j === 44) voxels[at] = 200;
  }
  return { voxels, size, affine: [-6, 0, 0, 0, 0, -6, 0, 0, 0, 0, 8, 0, 0, 0, 0, 1] };
}

const messages = (scan: Volume): string[] => lungDefects(scan, 'hu').map(({ message }) => message);
const lowest = 'the lowest slice shows 155 cm² of lung; it goes on beyond the scan';

test('lungs within the scan raise no doubt, gas in the last slice neither', () => {
  expect(messages(chest(3, 16))).toEqual([]);
  expect(messages(chest(0, 0, -990))).toEqual([]);
});

test('lungs that go on below, above, or at both ends', () => {
  expect(messages(chest(0, 16))).toEqual([lowest]);
  expect(messages(chest(3, 19))).toEqual([lowest.replace('lowest', 'highest')]);
  expect(messages(chest(0, 19))).toEqual([lowest, lowest.replace('lowest', 'highest')]);
});

test('padding around a scan is not its end', () => {
  const { voxels, ...grid } = chest(2, 16);
  const plane = size[0] * size[1];
  voxels.fill(-1000, 0, 2 * plane);
  expect(messages({ voxels, ...grid })).toEqual([lowest]);
});

test('the ends are those of the patient, however the voxels are stored', () => {
  for (const codes of ['RAI', 'SPL', 'ASR', 'IPR']) expect(messages(reorient(chest(0, 16), codes))).toEqual([lowest]);
});

test('windowed scans', () => {
  const { voxels, ...grid } = chest(0, 16);
  const windowed = Uint8Array.from(voxels, (hu) => Math.max(0, Math.min(255, ((hu + 1250) / 1500) * 255)));
  expect(lungDefects({ voxels: windowed, ...grid }, '0-255').map(({ message }) => message)).toEqual([lowest]);
});

test('lungs that are smaller than any patient has', () => {
  const { affine, ...voxels } = chest(3, 16);
  const scaled = (factors: readonly [number, number, number]): Volume => ({
    ...voxels,
    affine: affine.map((value, at) => (at < 12 && at % 4 < 3 ? value * factors[at % 4] : value)),
  });
  expect(messages(scaled([0.1, 0.1, 1]))).toEqual([
    "the lungs are 22 mm wide and 112 mm high, smaller than any patient's; its spacing may be in other units",
  ]);
  expect(messages(scaled([1, 1, 0.1]))).toEqual([
    "the lungs are 222 mm wide and 11 mm high, smaller than any patient's; its spacing may be in other units",
  ]);
  expect(messages(scaled([0.5, 0.5, 0.5]))).toEqual([]);
});
