/**
 * What a loss is: a term over voxels, a term over classes, or both, as graph nodes. Each loss is one file here and one
 * line in all-losses.ts.
 *
 * `classWeights` w weigh the classes of both terms as a mean, so that only their ratios count and a loss keeps its size:
 * learning rate, clipping and the balance of two terms stay right. Voxels: −Σ w_c·t·log p / Σ w_c·t, as PyTorch's
 * cross-entropy has it. Classes: v_c = w_c / mean(w) before each class of the sum, the mean over the classes that count.
 *
 * With the softmax p, one-hot labels t, and per sample n and class c the soft counts TP = Σ p·t, P = Σ p, A = Σ t over
 * the V voxels (background included; C classes, N samples).
 */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';

/** Each [N, C] in voxels. */
export interface SoftCounts {
  /** TP */
  readonly truePositive: GraphNode;
  /** P */
  readonly predicted: GraphNode;
  /** A */
  readonly actual: GraphNode;
}

export interface Loss<Config extends { readonly kind?: string | undefined }> {
  readonly kind: NonNullable<Config['kind']>;
  readonly schema: z.ZodObject & z.ZodType<Config>;
  /**
   * f·log p for every voxel and class, [N, C, D, H, W]; minimised is −(1/NV) Σ t·f·log p. Absent: not minimised, and the
   * cross-entropy is reported.
   */
  voxelTerm?(graph: Graph, voxels: { readonly p: GraphNode; readonly logP: GraphNode }, config: Config): GraphNode;
  /** A scalar that is minimised, its classes weighed by `classSum`. Absent: the Dice loss is reported. */
  classTerm?(graph: Graph, counts: SoftCounts, config: Config & EveryLoss): GraphNode;
}

/** Keys that every loss has. */
export interface EveryLoss {
  /**
   * One for each class in their order, the background included; only the ratios count. Absent: all count alike. In files also
   * by name, `{infection: 2}`, where the classes that are not named have 1.
   */
  readonly classWeights?: readonly number[];
  /** Weight of each head's loss, the finest first; only the ratios count. Absent: halved from head to head. */
  readonly levelWeights?: readonly number[];
}

export const positive: z.ZodNumber = z.number().gt(0);

export const everyLoss: Record<'classWeights' | 'levelWeights', z.ZodOptional<z.ZodArray<z.ZodNumber>>> = {
  classWeights: z.array(positive).optional(),
  levelWeights: z.array(positive).min(1).max(8).optional(),
};
