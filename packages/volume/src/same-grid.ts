/** Two volumes that belong together must share one grid: a scan and its labels, a truth and a prediction. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { compareGrids, type Grid } from './geometry.js';

/** Volumes of one case that are not on one grid; code `grid-mismatch`, fields {name, otherName, difference}. */
export class GridMismatchError extends QuickcolumnError {
  constructor(name: string, otherName: string, difference: string) {
    super(
      'grid-mismatch',
      `${name} does not lie on the grid of ${otherName}: ${difference}; use what was made for this scan, or resample it ` +
        'onto that grid first',
      { name, otherName, difference },
    );
  }
}

/**
 * @param name what the error calls the first grid, `otherName` the second
 * @throws GridMismatchError unless both are the same grid to 0.001 mm
 */
export function requireSameGrid(grid: Grid, other: Grid, name: string, otherName: string): void {
  const { same, reason = 'the grids differ' } = compareGrids(grid, other);
  if (!same) throw new GridMismatchError(name, otherName, reason);
}
