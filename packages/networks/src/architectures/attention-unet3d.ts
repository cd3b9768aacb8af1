/**
 * Attention U-Net in 3D (Oktay et al.: "Attention U-Net: learning where to look for the pancreas", MIDL 2018, Fig. 1, 2
 * and Eq. 1–2): a 3D U-Net whose skips are weighed, voxel by voxel, by what the coarser level found:
 *   α = σ(ψᵀ·ReLU(W_x·x + W_g·g + b_g) + b_ψ),   skip = BN(conv1(α·x)).
 * W_x is a 2×2×2 convolution with stride 2 (without bias), W_g and ψ are 1×1×1; α is computed on g's grid and
 * up-sampled trilinearly. As in the paper the finest skip has no gate. r = 32: 23 529 735 parameters.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from '../blocks/builder.js';
import { type NetworkHeads, scaleHeads } from '../blocks/heads.js';
import { add, batchNorm, conv, doubleConv, downConv, relu } from '../blocks/layers.js';
import { patchMultiple, uShape } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

/** x [N, C, 2D, 2H, 2W] weighed by the coarser g [N, C', D, H, W]. */
function attentionGate(builder: Builder, x: GraphNode, g: GraphNode): GraphNode {
  const { graph } = builder;
  const width = x.shape[1];
  const theta = downConv(within(builder, 'x'), x, width, { bias: false });
  const phi = conv(within(builder, 'g'), g, width, { kernel: 1 });
  const psi = conv(within(builder, 'psi'), relu(builder, add(builder, theta, phi)), 1, { kernel: 1 });
  const alpha = graph.apply('resize', [graph.apply('sigmoid', [psi])], { factor: 2, mode: 'trilinear' });
  // One weight for all channels: a 1×1×1 convolution with ones copies the map into each of them.
  const spread = graph.apply('conv3d', [alpha, graph.constant(1, [width, 1, 1, 1, 1])], { stride: 1 });
  const gated = graph.apply('mul', [x, spread]);
  return batchNorm(within(builder, 'norm'), conv(within(builder, 'conv'), gated, width, { kernel: 1 }));
}

function build(builder: Builder, image: GraphNode, classes: number, { rootFilters }: NetworkOptions): NetworkHeads {
  const width = (level: number): number => rootFilters * 2 ** level;
  const block = (at: Builder, x: GraphNode, level: number): GraphNode => doubleConv(at, x, width(level));
  const [finest] = uShape(builder, image, {
    width,
    encode: block,
    skip: (at, skip, coarser, level) => (level === 0 ? skip : attentionGate(within(at, 'gate'), skip, coarser)),
    decode: block,
  });
  return scaleHeads(builder, [finest], classes);
}

export const attentionUnet3d: NetworkDefinition = {
  title: 'Attention U-Net 3D',
  source: 'Oktay et al., MIDL 2018',
  options: { rootFilters: rootFiltersSchema },
  published: { rootFilters: 32 },
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
