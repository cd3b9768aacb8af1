/**
 * Residual 3D U-Net, one of the systems the QC-HC paper compares with (its Fig. 5, not available to us): the 3D U-Net
 * with the residual block of He et al. (CVPR 2016, Eq. 2 and Fig. 2), as Zhang, Liu and Wang (2018) put it into a U-Net:
 *   y = ReLU(BN(conv3(ReLU(BN(conv3(x))))) + BN(conv1(x))).
 * The shortcut is a projection in every block because the widths always differ. r = 32: 22 933 924 parameters for
 * one input channel and 4 classes.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { add, convNorm, convNormRelu, relu } from '../blocks/layers.js';
import { patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

function residualBlock(builder: Builder, x: GraphNode, width: number): GraphNode {
  const inner = convNorm(within(builder, 'last'), convNormRelu(within(builder, 'first'), x, width), width, 3);
  return relu(builder, add(builder, inner, convNorm(within(builder, 'shortcut'), x, width, 1)));
}

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  const width = (level: number): number => rootFilters * 2 ** level;
  const block = (at: Builder, x: GraphNode, level: number): GraphNode => residualBlock(at, x, width(level));
  const [finest] = uShape(builder, image, { width, encode: block, decode: block });
  return scaleHeads(builder, [finest], classes);
}

export const residualUnet3d: NetworkDefinition = {
  title: 'Residual 3D U-Net',
  source: 'Zhang, Ren, Wei, Sci Rep 2021, Fig. 5; He et al. 2016',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 32 },
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
