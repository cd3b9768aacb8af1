/**
 * What a network is made of: one file in `architectures/` gives one of these, and a line in `networks.ts` its name. The
 * configuration's schema, the catalogue and the patches that a network takes follow from it.
 */
import type { GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import type { Builder } from './blocks/builder.js';
import type { NetworkHeads } from './blocks/heads.js';

/** What every network has; its own options extend it. */
export interface NetworkOptions {
  /** Width r of the first level; most networks have r·2^l in level l. */
  readonly rootFilters: number;
}

/** A variant that comparisons leave something out of. */
interface Ablation<Options extends NetworkOptions> {
  /** Behind the network's name in the catalogue: `qchc-unet-no-quick`. */
  readonly id: string;
  /** Behind the network's title. */
  readonly title: string;
  readonly change: Partial<Options>;
}

export interface NetworkDefinition<Options extends NetworkOptions = NetworkOptions> {
  /** As people call it. */
  readonly title: string;
  /** Where it was published; the file's header says what of it was decided here. */
  readonly source: string;
  /** A check for each option, in the order that files have them in. */
  readonly options: { readonly [Key in keyof Options]-?: z.ZodType<Options[Key]> };
  /** The options of the publication, which are the default. */
  readonly published: Options;
  readonly ablations?: readonly Ablation<Options>[];
  /** Heads that a training compares with the truth: 1, more with deep supervision. */
  headCount(options: Options): number;
  /** What every side of a patch must be a multiple of. */
  patchMultiple(options: Options): number;
  /** Image [N, 1, D, H, W] → logits [N, classes, D, H, W], and in training those of the auxiliary heads. */
  build(builder: Builder, image: GraphNode, classes: number, options: Options): NetworkHeads;
}

export const rootFiltersSchema: z.ZodType<number> = z.int().min(1).max(256);
