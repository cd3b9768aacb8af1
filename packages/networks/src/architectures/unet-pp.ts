/**
 * U-Net++ in 3D (Zhou, Siddiquee, Tajbakhsh, Liang: "UNet++: a nested U-Net architecture for medical image
 * segmentation", DLMIA 2018, Fig. 1a and Eq. 1):
 *   x(i,0) = H(pool(x(i−1,0))),   x(i,j) = H(concat(x(i,0), …, x(i,j−1), up(x(i+1,j−1)))) for j > 0,
 * H two conv3 → BN → ReLU, up a transposed convolution 2×2×2. With deep supervision x(0,4), x(0,3), x(0,2), x(0,1) are
 * scored in training, all on the full grid; prediction takes x(0,4), the paper's "fast mode" with the last head.
 * r = 32: 26 205 668 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { concat, doubleConv, maxPool, upConv } from '../blocks/layers.js';
import { levels, patchMultiple } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

export interface UnetPpOptions extends NetworkOptions {
  readonly deepSupervision: boolean;
}

function build(builder: Builder, image: GraphNode, classes: number, config: UnetPpOptions): NetworkHeads {
  const width = (row: number): number => config.rootFilters * 2 ** row;
  const rows: GraphNode[][] = [];
  for (let row = 0; row <= levels; row++) {
    const x = row === 0 ? image : maxPool(builder, rows[row - 1][0]);
    rows.push([doubleConv(within(builder, `node${row}-0`), x, width(row))]);
  }
  for (let column = 1; column <= levels; column++)
    for (let row = 0; row + column <= levels; row++) {
      const node = within(builder, `node${row}-${column}`);
      const up = upConv(within(node, 'up'), rows[row + 1][column - 1], width(row));
      rows[row].push(doubleConv(node, concat(builder, ...rows[row], up), width(row)));
    }
  const columns = rows[0].slice(1).toReversed();
  return scaleHeads(builder, config.deepSupervision ? columns : columns.slice(0, 1), classes);
}

export const unetPp: NetworkDefinition<UnetPpOptions> = {
  title: 'U-Net++ 3D',
  source: 'Zhou et al., DLMIA 2018',
  options: { rootFilters: rootFiltersSchema, deepSupervision: z.boolean() },
  published: { rootFilters: 32, deepSupervision: true },
  headCount: ({ deepSupervision }) => (deepSupervision ? levels : 1),
  patchMultiple: () => patchMultiple,
  build,
};
