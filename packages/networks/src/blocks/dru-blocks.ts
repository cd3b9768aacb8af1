/**
 * The encoder and decoder blocks of DRU-Net (Jafari et al., ISBI 2020, Fig. 1d and 2), in 3D as spec section 5 gives
 * them for the QC-HC U-Net, which takes them over: the first Conv-BN output is added to the last (the quick
 * connection), and an encoder block's input is joined to its output.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { type Builder, within } from './builder.js';
import { add, batchNorm, concat, convNorm, relu, upConv } from './layers.js';

/** e (C) → concat(ReLU(u + v + e), e) (2C), u = BN(conv3(e)), v = BN(conv3(ReLU(u))). */
export function encoderBlock(builder: Builder, e: GraphNode, quick: boolean): GraphNode {
  const width = e.shape[1];
  const u = convNorm(within(builder, 'first'), e, width, 3);
  const v = convNorm(within(builder, 'last'), relu(builder, u), width, 3);
  return concat(builder, relu(builder, quick ? add(builder, u, v, e) : v), e);
}

/** m = concat(skip, ReLU(BN(upConv(x)))); ReLU(u + v + q) with u, v as above and q = BN(conv1(m)). */
export function decoderBlock(
  builder: Builder,
  x: GraphNode,
  skip: GraphNode,
  width: number,
  quick: boolean,
): GraphNode {
  const up = within(builder, 'up');
  const t = relu(builder, batchNorm(within(up, 'norm'), upConv(within(up, 'conv'), x, width)));
  const m = concat(builder, skip, t);
  const u = convNorm(within(builder, 'first'), m, width, 3);
  const v = convNorm(within(builder, 'last'), relu(builder, u), width, 3);
  if (!quick) return relu(builder, v);
  return relu(builder, add(builder, u, v, convNorm(within(builder, 'quick'), m, width, 1)));
}
