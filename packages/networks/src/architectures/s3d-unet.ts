/**
 * S3D-UNet (Chen, Liu, Peng, Sun, Qiao: "S3D-UNet: separable 3D U-Net for brain tumor segmentation", BrainLes 2018): a
 * residual 3D U-Net in which a 3×3×3 convolution is a 1×3×3 one in the plane, then a 3×1×1 one across slices, each
 * followed by instance norm and leaky ReLU. D = z comes first in our kernels, so "across slices" is [3, 1, 1].
 *
 * Decided here, the paper's branches per block not being available to us: two separable convolutions a block and a
 * 1×1×1 shortcut around them; poolings and widths as in the other networks. r = 32: 11 440 612 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { add, conv, instanceNorm, type Kernel, leakyRelu } from '../blocks/layers.js';
import { patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

function convNorm(builder: Builder, x: GraphNode, out: number, kernel: Kernel): GraphNode {
  return instanceNorm(within(builder, 'norm'), conv(within(builder, 'conv'), x, out, { kernel }));
}

/** In the plane, then across slices; without the last leaky ReLU. */
function separableConv(builder: Builder, x: GraphNode, out: number): GraphNode {
  const plane = leakyRelu(builder, convNorm(within(builder, 'plane'), x, out, [1, 3, 3]));
  return convNorm(within(builder, 'depth'), plane, out, [3, 1, 1]);
}

function separableBlock(builder: Builder, x: GraphNode, out: number): GraphNode {
  const first = leakyRelu(builder, separableConv(within(builder, 'first'), x, out));
  const last = separableConv(within(builder, 'last'), first, out);
  return leakyRelu(builder, add(builder, last, convNorm(within(builder, 'shortcut'), x, out, 1)));
}

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  const width = (level: number): number => rootFilters * 2 ** level;
  const block = (at: Builder, x: GraphNode, level: number): GraphNode => separableBlock(at, x, width(level));
  const [finest] = uShape(builder, image, { width, encode: block, decode: block });
  return scaleHeads(builder, [finest], classes);
}

export const s3dUnet: NetworkDefinition = {
  title: 'S3D-UNet',
  source: 'Chen et al., BrainLes 2018',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 32 },
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
