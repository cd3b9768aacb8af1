/** Box plots: Dice of every system in one region, every case a point. */
import { boxPlot, palette } from '../../report/charts.js';
import type { ComparisonStatistics } from '../result.js';

/** The figure of one region as SVG; the first system, which others are tested against, has a colour of its own. */
export function boxFigure(statistics: ComparisonStatistics, region: string): string {
  const groups = statistics.systems.map(({ id }, n) => ({
    name: id,
    color: n === 0 ? palette[1] : palette[0],
    values: statistics.cases.flatMap((row) => {
      const value = row.dice[region][id] as number | null | undefined;
      return value === null || value === undefined ? [] : [value];
    }),
  }));
  // Lungs lie close to 1: the axis begins at the fifth below the lowest value.
  const lowest = Math.min(1, ...groups.flatMap((group) => group.values));
  return boxPlot(groups, {
    title: `DSC, ${region}`,
    yLabel: 'DSC',
    yRange: [Math.min(0.8, Math.floor(lowest * 5) / 5), 1],
    width: Math.min(1180, Math.max(480, 110 * groups.length + 80)),
    height: 400,
  });
}
