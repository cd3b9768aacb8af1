/**
 * Dense 3D U-Net with transition blocks, one of the systems the QC-HC paper compares with (its Fig. 6, not available
 * to us): a U-Net of the dense blocks and transitions of Huang et al. (DenseNet, CVPR 2017, Fig. 1 and section 3), as
 * Jégou et al. (2017) and Li et al. (H-DenseUNet, 2018) put them into an encoder-decoder.
 *
 * Dense block: four layers BN → ReLU → conv3, each reading all before it, growing by half the level's width; so a
 * block turns w maps into 3w. Transition: BN → ReLU → conv1, to the next level's width on the way down (before the
 * pooling, which is a maximum as in Jégou et al.), to w before and after a decoder's block. r = 16: 11 479 412 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { batchNorm, concat, conv, maxPool, relu } from '../blocks/layers.js';
import { patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

const layers = 4;

function normReluConv(builder: Builder, x: GraphNode, out: number, kernel: number): GraphNode {
  return conv(within(builder, 'conv'), relu(builder, batchNorm(within(builder, 'norm'), x)), out, { kernel });
}

function denseBlock(builder: Builder, x: GraphNode, growth: number): GraphNode {
  let joined = x;
  for (let layer = 0; layer < layers; layer++)
    joined = concat(builder, joined, normReluConv(within(builder, `layer${layer}`), joined, growth, 3));
  return joined;
}

function transition(builder: Builder, x: GraphNode, out: number): GraphNode {
  return normReluConv(builder, x, out, 1);
}

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  const width = (level: number): number => rootFilters * 2 ** level;
  const growth = (level: number): number => Math.ceil(width(level) / 2);
  const stem = conv(within(builder, 'stem'), image, rootFilters, { kernel: 3 });
  const [finest] = uShape(builder, stem, {
    width,
    encode: (at, x, level) => denseBlock(at, x, growth(level)),
    down: (at, x, level) => maxPool(at, transition(at, x, width(level))),
    decode: (at, x, level) => {
      const squeezed = transition(within(at, 'squeeze'), x, width(level));
      return transition(within(at, 'transition'), denseBlock(at, squeezed, growth(level)), width(level));
    },
  });
  return scaleHeads(builder, [finest], classes);
}

export const denseUnet3d: NetworkDefinition = {
  title: 'Dense 3D U-Net',
  source: 'Zhang, Ren, Wei, Sci Rep 2021, Fig. 6; Huang et al. 2017',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 16 },
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
