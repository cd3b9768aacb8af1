/**
 * What an optimiser is: nodes that update weights, and the scalars that change from step to step, which are computed on the
 * host and fed in. Each optimiser is one file here and one line in all-optimizers.ts.
 * Weight decay goes over every trainable variable, biases and norms included, as nnU-Net does.
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';

export interface Update {
  readonly weight: GraphNode;
  readonly gradient: GraphNode;
}

export interface Optimizer<Config extends { readonly kind: string }> {
  readonly kind: Config['kind'];
  readonly schema: z.ZodObject & z.ZodType<Config>;
  /** Appends the update of every weight; `rate` is the input of that name. Other inputs are its own. */
  build(graph: Graph, updates: readonly Update[], rate: GraphNode, config: Config): void;
  /** Values of its inputs, `rate` among them, in step t = 1, 2, … */
  inputs(rate: number, t: number, config: Config): Record<string, Float32Array>;
}

/** Keys that every optimiser has. */
export interface Clipping {
  /** Gradients are scaled down together when their global norm is above this. Absent: never. */
  readonly clipNorm?: number;
}

export const clipping: { clipNorm: z.ZodOptional<z.ZodNumber> } = { clipNorm: z.number().gt(0).optional() };
