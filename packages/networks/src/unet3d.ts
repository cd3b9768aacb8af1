/**
 * The 3D U-Net of Müller, Soto-Rey, Kramer (2020/2021), as MIScnn builds it by default: two blocks
 * Conv 3×3×3 → ReLU → BN per level, four poolings, transposed convolutions without normalisation, skips joined,
 * widths r·2^l with r = 32 (32 … 512), a 1×1×1 head. Built from the published description (Çiçek et al. 2016).
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, batchNorm, concat, conv, maxPool, relu, upConv, within } from './blocks.js';

export interface Unet3dConfig {
  readonly name: 'unet3d';
  readonly rootFilters: number;
}

const levels = 4;

function convReluNorm(builder: Builder, x: GraphNode, width: number): GraphNode {
  return batchNorm(within(builder, 'norm'), relu(builder, conv(within(builder, 'conv'), x, width, { kernel: 3 })));
}

function block(builder: Builder, x: GraphNode, width: number): GraphNode {
  return convReluNorm(within(builder, 'last'), convReluNorm(within(builder, 'first'), x, width), width);
}

/** Image [N, 1, D, H, W] → logits [N, classes, D, H, W]. D, H, W must be multiples of 16. */
export function unet3d(builder: Builder, image: GraphNode, classes: number, { rootFilters }: Unet3dConfig): GraphNode {
  let x = image;
  const skips: GraphNode[] = [];
  for (let level = 0; level <= levels; level++) {
    if (level > 0) x = maxPool(builder, x);
    x = block(within(builder, `encoder${level}`), x, rootFilters * 2 ** level);
    skips.push(x);
  }
  for (let level = levels - 1; level >= 0; level--) {
    const decoder = within(builder, `decoder${level}`);
    const width = rootFilters * 2 ** level;
    x = block(decoder, concat(builder, skips[level], upConv(within(decoder, 'up'), x, width)), width);
  }
  return conv(within(builder, 'head'), x, classes, { kernel: 1 });
}
