/**
 * The plain 3D U-Net of nnU-Net (Isensee et al., Nature Methods 2021, Fig. 2 and supplementary note 4), the network of
 * Ma et al.'s COVID-19 benchmark (Medical Physics 2021): two convolutions → instance norm → leaky ReLU a level, halving
 * by a strided convolution, transposed convolutions without bias, widths r·2^l up to 320, 1×1×1 heads without bias.
 *
 * Deep supervision: in training the decoder levels 1 and 2 are scored on their own grids (the coarsest has no weight
 * in nnU-Net); the loss halves their weight per level. The strided convolution is 2×2×2 here, 3×3×3 there, because
 * every runtime has kernel = stride. Four halvings, so that any patch of 16s fits. r = 32: 14 172 640 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { conv, downConv, instanceNorm, leakyRelu, upConv } from '../blocks/layers.js';
import { patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

export interface Nnunet3dOptions extends NetworkOptions {
  /** Widest level; nnU-Net's 3D networks stop at 320. */
  readonly maxFilters: number;
  readonly deepSupervision: boolean;
}

const supervisedLevels = 3;

function normalised(builder: Builder, x: GraphNode): GraphNode {
  return leakyRelu(builder, instanceNorm(within(builder, 'norm'), x));
}

function convNormLeaky(builder: Builder, x: GraphNode, out: number): GraphNode {
  return normalised(builder, conv(within(builder, 'conv'), x, out, { kernel: 3 }));
}

function build(builder: Builder, image: GraphNode, classes: number, config: Nnunet3dOptions): NetworkHeads {
  const width = (level: number): number => Math.min(config.rootFilters * 2 ** level, config.maxFilters);
  const block = (at: Builder, x: GraphNode, level: number): GraphNode =>
    convNormLeaky(within(at, 'last'), convNormLeaky(within(at, 'first'), x, width(level)), width(level));
  const features = uShape(builder, image, {
    width,
    // Below the first level the strided convolution is the first of the two.
    encode: (at, x, level) => (level === 0 ? block(at, x, 0) : convNormLeaky(within(at, 'last'), x, width(level))),
    down: (at, x, level) => normalised(at, downConv(within(at, 'conv'), x, width(level))),
    up: (at, x, level) => upConv(at, x, width(level), { bias: false }),
    decode: block,
  });
  return scaleHeads(builder, features.slice(0, config.deepSupervision ? supervisedLevels : 1), classes, {
    bias: false,
  });
}

export const nnunet3d: NetworkDefinition<Nnunet3dOptions> = {
  title: 'nnU-Net-style 3D U-Net',
  source: 'Ma et al. 2021; Isensee et al. 2021',
  options: { rootFilters: rootFiltersSchema, maxFilters: z.int().min(1).max(1024), deepSupervision: z.boolean() },
  published: { rootFilters: 32, maxFilters: 320, deepSupervision: true },
  headCount: ({ deepSupervision }) => (deepSupervision ? supervisedLevels : 1),
  patchMultiple: () => patchMultiple,
  build,
};
