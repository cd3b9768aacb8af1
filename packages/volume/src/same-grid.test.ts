import { expect, it } from 'vitest';
import { GridMismatchError, requireSameGrid } from './same-grid.js';

const grid = { size: [4, 5, 6], affine: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1] } as const;

it('names both grids and the difference', () => {
  expect(() => requireSameGrid(grid, grid, 'mask', 'scan')).not.toThrow();
  const other = { ...grid, size: [4, 5, 7] as const };
  expect(() => requireSameGrid(grid, other, 'mask a', 'scan b')).toThrow(GridMismatchError);
  expect(() => requireSameGrid(grid, other, 'mask a', 'scan b')).toThrow(
    'mask a does not lie on the grid of scan b: sizes differ: 4×5×6 and 4×5×7 voxels',
  );
});
