/**
 * The 3D U-Net of Müller, Soto-Rey, Kramer (2020/2021), as MIScnn builds it by default: two blocks
 * Conv 3×3×3 → ReLU → BN per level, four poolings, transposed convolutions without normalisation, skips joined,
 * widths r·2^l with r = 32 (32 … 512), a 1×1×1 head. Built from the published description (Çiçek et al. 2016).
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { batchNorm, conv, relu } from '../blocks/layers.js';
import { patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

function convReluNorm(builder: Builder, x: GraphNode, width: number): GraphNode {
  return batchNorm(within(builder, 'norm'), relu(builder, conv(within(builder, 'conv'), x, width, { kernel: 3 })));
}

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  const width = (level: number): number => rootFilters * 2 ** level;
  const block = (at: Builder, x: GraphNode, level: number): GraphNode =>
    convReluNorm(within(at, 'last'), convReluNorm(within(at, 'first'), x, width(level)), width(level));
  const [finest] = uShape(builder, image, { width, encode: block, decode: block });
  return scaleHeads(builder, [finest], classes);
}

export const unet3d: NetworkDefinition = {
  title: '3D U-Net',
  source: 'Müller, Soto-Rey, Kramer 2020; Çiçek et al. 2016',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 32 },
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
