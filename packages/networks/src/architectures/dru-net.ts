/**
 * DRU-Net in 3D (Jafari, Auer, Francis, Garibaldi, Chen: "DRU-net: an efficient deep convolutional neural network for
 * medical image segmentation", ISBI 2020, Fig. 1d and 2): blocks whose first and last Conv-BN outputs are added, input
 * and output joined in the encoder, one 1×1×1 head at the end.
 *
 * The QC-HC U-Net is this network with a hypercolumn in place of the head, so its ablation `hypercolumn: false` is the
 * same function; a test holds the two together. r = 16: 7 746 020 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from '../blocks/builder.js';
import { decoderBlock, encoderBlock } from '../blocks/dru-blocks.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { conv, maxPool } from '../blocks/layers.js';
import { levels, patchMultiple } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  let x = conv(within(builder, 'stem'), image, rootFilters, { kernel: 3 });
  const skips: GraphNode[] = [];
  for (let level = 0; level <= levels; level++) {
    if (level > 0) x = maxPool(builder, x);
    x = encoderBlock(within(builder, `encoder${level}`), x, true);
    skips.push(x);
  }
  for (let level = levels - 1; level >= 0; level--)
    x = decoderBlock(within(builder, `decoder${level}`), x, skips[level], rootFilters * 2 ** level, true);
  return scaleHeads(builder, [x], classes);
}

export const druNet: NetworkDefinition = {
  title: 'DRU-Net 3D',
  source: 'Jafari et al., ISBI 2020',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 16 },
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
