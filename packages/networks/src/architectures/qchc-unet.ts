/**
 * QC-HC U-Net: a 3D U-Net with quick connections and a hypercolumn head.
 * Source: Zhang, Ren, Wei, Sci Rep 11:22854 (2021); the blocks follow DRU-Net (Jafari et al. 2020) as the paper says.
 *
 * Quick connection: the first Conv-BN output of a block joins the last by summation. Hypercolumn: each decoder level
 * gives class scores by a 1×1×1 convolution, which are up-sampled and summed. Because up-sampling is linear this
 * equals one 1×1×1 convolution over all up-sampled decoder features joined together, at a fraction of the memory.
 */
import type { GraphNode, ResizeMode } from '@quickcolumn/graph';
import { z } from 'zod';
import { type Builder, type Normalization, within } from '../blocks/builder.js';
import { decoderBlock, encoderBlock } from '../blocks/dru-blocks.js';
import type { NetworkHeads } from '../blocks/heads.js';
import { add, addBias, conv, maxPool } from '../blocks/layers.js';
import { levels, patchMultiple } from '../blocks/u-shape.js';
import { type NetworkDefinition, type NetworkOptions, rootFiltersSchema } from '../definition.js';

export interface QchcUnetOptions extends NetworkOptions {
  readonly resize: ResizeMode;
  /** Also score the bottom block in the hypercolumn. */
  readonly bottomLevel: boolean;
  /** false: ablation, the blocks end with their last Conv-BN alone. */
  readonly quickConnection: boolean;
  /** false: ablation, only the finest decoder level is scored. */
  readonly hypercolumn: boolean;
  /**
   * Absent: batch norm, the paper's. With a batch of one patch it normalises every patch by itself in training, but by
   * running statistics in prediction; `instance` does in both what training does.
   */
  readonly normalization?: Normalization | undefined;
}

function build(outer: Builder, image: GraphNode, classes: number, config: QchcUnetOptions): NetworkHeads {
  const { rootFilters, quickConnection, normalization } = config;
  const builder = { ...outer, normalization };
  let x = conv(within(builder, 'stem'), image, rootFilters, { kernel: 3 });
  const skips: GraphNode[] = [];
  for (let level = 0; level <= levels; level++) {
    if (level > 0) x = maxPool(builder, x);
    x = encoderBlock(within(builder, `encoder${level}`), x, quickConnection);
    skips.push(x);
  }
  const columns: { readonly level: number; readonly features: GraphNode }[] = [];
  if (config.bottomLevel) columns.push({ level: levels, features: x });
  for (let level = levels - 1; level >= 0; level--) {
    x = decoderBlock(within(builder, `decoder${level}`), x, skips[level], rootFilters * 2 ** level, quickConnection);
    columns.push({ level, features: x });
  }
  const scored = config.hypercolumn ? columns : columns.slice(-1);
  const scores = scored.map(({ level, features }) => {
    const score = conv(within(builder, `head${level}`), features, classes, { kernel: 1, bias: false });
    return level === 0 ? score : builder.graph.apply('resize', [score], { factor: 2 ** level, mode: config.resize });
  });
  return { logits: addBias(within(builder, 'head'), add(builder, ...scores)), auxiliary: [] };
}

export const qchcUnet: NetworkDefinition<QchcUnetOptions> = {
  title: 'QC-HC U-Net',
  source: 'Zhang, Ren, Wei, Sci Rep 2021',
  options: {
    rootFilters: rootFiltersSchema,
    resize: z.enum(['trilinear', 'nearest']),
    bottomLevel: z.boolean(),
    quickConnection: z.boolean(),
    hypercolumn: z.boolean(),
    normalization: z.enum(['batch', 'instance']).optional(),
  },
  published: { rootFilters: 16, resize: 'trilinear', bottomLevel: false, quickConnection: true, hypercolumn: true },
  ablations: [
    { id: 'no-quick', title: 'without quick connection', change: { quickConnection: false } },
    { id: 'no-hypercolumn', title: 'without hypercolumn', change: { hypercolumn: false } },
    { id: 'neither', title: 'without either', change: { quickConnection: false, hypercolumn: false } },
  ],
  headCount: () => 1,
  patchMultiple: () => patchMultiple,
  build,
};
