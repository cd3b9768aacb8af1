/**
 * VB-Net (Shan et al.: "Lung infection quantification of COVID-19 in CT images with deep learning", 2020, Fig. 2): the
 * V-Net of Milletari et al. (3DV 2016, Fig. 2) with bottlenecks 1³–3³–1³ in place of its wide convolutions.
 *
 * Levels of width w, 2w … 16w have 1, 2, 3, 3, 3 units on the way down and 3, 3, 2, 1 on the way up (V-Net's numbers);
 * a level's input is added to the output of its units. From the third level on a unit is a bottleneck with a quarter
 * of its width inside, above it a single 3×3×3 convolution. Each convolution is followed by BN and ReLU (BN in place of
 * V-Net's bare PReLU), the last one of a level gets its ReLU after the sum. r = 16: 2 203 220 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { add, batchNorm, convNorm, downConv, relu, upConv } from '../blocks/layers.js';
import { patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

const unitsDown = [1, 2, 3, 3, 3];
const unitsUp = [1, 2, 3, 3];
/** Levels from this one on use bottlenecks. */
const firstBottleneck = 2;

/** Without the last ReLU, which follows the sum. */
function unit(builder: Builder, x: GraphNode, bottleneck: boolean): GraphNode {
  const width = x.shape[1];
  if (!bottleneck) return convNorm(builder, x, width, 3);
  const inner = Math.max(1, Math.floor(width / 4));
  const reduced = relu(builder, convNorm(within(builder, 'reduce'), x, inner, 1));
  const spatial = relu(builder, convNorm(within(builder, 'spatial'), reduced, inner, 3));
  return convNorm(within(builder, 'expand'), spatial, width, 1);
}

function residualUnits(builder: Builder, x: GraphNode, units: number, bottleneck: boolean): GraphNode {
  let y = x;
  for (let i = 0; i < units; i++) {
    if (i > 0) y = relu(builder, y);
    y = unit(within(builder, `unit${i}`), y, bottleneck);
  }
  return relu(builder, add(builder, x, y));
}

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  const width = (level: number): number => rootFilters * 2 ** level;
  const normRelu = (at: Builder, x: GraphNode): GraphNode => relu(at, batchNorm(within(at, 'norm'), x));
  const [finest] = uShape(builder, image, {
    width,
    encode: (at, x, level) => {
      // The image has one channel: it cannot be added to w maps, a plain convolution comes first.
      if (level === 0) return relu(at, convNorm(within(at, 'unit0'), x, width(0), 3));
      return residualUnits(at, x, unitsDown[level], level >= firstBottleneck);
    },
    down: (at, x, level) => normRelu(at, downConv(within(at, 'conv'), x, width(level))),
    // Up-sampled and skip together have 2w maps, as in V-Net: w from the skip, w from below.
    up: (at, x, level) => normRelu(at, upConv(within(at, 'conv'), x, width(level))),
    decode: (at, x, level) => residualUnits(at, x, unitsUp[level], level >= firstBottleneck),
  });
  return scaleHeads(builder, [finest], classes);
}

export const vbNet: NetworkDefinition = {
  title: 'VB-Net',
  source: 'Shan et al. 2020; Milletari et al. 2016',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 16 },
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
