import { reorient } from '@quickcolumn/volume';
import { expect, test } from 'vitest';
import { chest } from './chest.test.helpers.js';
import { rowLengthProblem } from './row-length.js';
import { scanDefects } from './scan-defects.js';

const whole = chest();
const [columns, rows, slices] = whole.size;

test('rows of the stated length fit, however the voxels are stored', () => {
  for (const codes of ['LPS', 'PLS', 'SLP', 'ASR']) expect(rowLengthProblem(reorient(whole, codes))).toBeUndefined();
});

test('noise and flat images tell nothing', () => {
  let noise = 1;
  const voxels = Int16Array.from(whole.voxels, () => (noise = (noise * 16_807) % 2_147_483_647) % 2000);
  expect(rowLengthProblem({ ...whole, voxels })).toBeUndefined();
  expect(rowLengthProblem({ ...whole, voxels: new Int16Array(whole.voxels.length) })).toBeUndefined();
});

test('sizes that were exchanged are refused, and can be accepted', () => {
  const message = `its rows do not fit below each other with ${rows} voxels, but with ${columns}: the sizes of the header are wrong`;
  const exchanged = { ...whole, size: [rows, columns, slices] } as const;
  expect(scanDefects(exchanged)).toContainEqual({ kind: 'row-length', message });
});
