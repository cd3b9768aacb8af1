/**
 * Deeply supervised 3D U-Net: the 3D U-Net (Çiçek et al. 2016) with the auxiliary classifiers of Dou et al. ("3D deeply
 * supervised network for automated segmentation of volumetric medical images", MedIA 2017, Fig. 2 and Eq. 4–5):
 * every coarser decoder level is scored by a 1×1×1 convolution, up-sampled to the full grid and has a loss of its own.
 *
 * Dou et al. up-sample the features by transposed convolutions and then score; scores are up-sampled here, trilinearly,
 * which needs a fraction of the memory. The auxiliary heads exist in training only. r = 32: 22 581 316 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import type { Builder } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { doubleConv } from '../blocks/layers.js';
import { levels, patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  const width = (level: number): number => rootFilters * 2 ** level;
  const block = (at: Builder, x: GraphNode, level: number): GraphNode => doubleConv(at, x, width(level));
  const features = uShape(builder, image, { width, encode: block, decode: block });
  const { logits, auxiliary } = scaleHeads(builder, features, classes);
  const full = auxiliary.map((score, i) =>
    builder.graph.apply('resize', [score], { factor: 2 ** (i + 1), mode: 'trilinear' }),
  );
  return { logits, auxiliary: full };
}

export const deepUnet3d: NetworkDefinition = {
  title: 'Deeply supervised 3D U-Net',
  source: 'Dou et al., MedIA 2017',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 32 },
  headCount: () => levels,
  patchMultiple: () => patchMultiple,
  build,
};
