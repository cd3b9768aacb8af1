/**
 * What a network is built with: the graph, the mode and the path of names, so that a variable's name says where it
 * sits: `encoder0/conv1/weight`.
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';

/** Over the batch with running statistics for prediction, or over each patch for itself, in training and prediction alike. */
export type Normalization = 'batch' | 'instance';

export interface Builder {
  readonly graph: Graph;
  /** Training uses the statistics of the batch and updates the running ones; prediction uses the running ones. */
  readonly training: boolean;
  /** Prefix of variable names, '' at the root. */
  readonly path: string;
  /** Variables that this training leaves as they are: batch norm with such statistics uses them, as in prediction. */
  readonly frozen?: (name: string) => boolean;
  /** What takes the place of batch norm; default batch norm itself. */
  readonly normalization?: Normalization | undefined;
  /** In training: gets the batch's own statistics by the names of the running ones, which then stay as they are. */
  readonly observe?: (name: string, statistic: GraphNode) => void;
}

export function within(builder: Builder, name: string): Builder {
  return { ...builder, path: builder.path === '' ? name : `${builder.path}/${name}` };
}
