/** The ends of a network: convolutions that score the classes, for its result and for deep supervision. */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from './builder.js';
import { conv } from './layers.js';

/**
 * What a network gives: logits on the image's grid, and in training the logits of auxiliary heads (deep supervision),
 * finer ones first, on grids that divide the image's. Prediction has none of those and none of their weights.
 */
export interface NetworkHeads {
  readonly logits: GraphNode;
  readonly auxiliary: readonly GraphNode[];
}

/** Logits of the features' levels by 1×1×1 convolutions `head`, `head1`, …; the auxiliary ones in training only. */
export function scaleHeads(
  builder: Builder,
  features: readonly GraphNode[],
  classes: number,
  { bias = true }: { readonly bias?: boolean } = {},
): NetworkHeads {
  const [finest, ...coarser] = features;
  const logits = conv(within(builder, 'head'), finest, classes, { kernel: 1, bias });
  const supervised = builder.training ? coarser : [];
  return {
    logits,
    auxiliary: supervised.map((x, i) => conv(within(builder, `head${i + 1}`), x, classes, { kernel: 1, bias })),
  };
}
