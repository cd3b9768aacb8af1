/** The Dice loss: 1 − (1/NC) Σ_n,c v·(2TP + ε)/(P + A + ε), with or without the background among the C. */
import type { Graph, GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import { type EveryLoss, everyLoss, type Loss, positive, type SoftCounts } from './loss.js';
import { affine, classSum } from './nodes.js';

export interface DiceOptions {
  readonly epsilon: number;
  readonly background: boolean;
}

interface DiceConfig extends DiceOptions {
  readonly kind: 'dice';
}

export const diceOptions: { epsilon: z.ZodNumber; background: z.ZodBoolean } & typeof everyLoss = {
  epsilon: positive,
  background: z.boolean(),
  ...everyLoss,
};

export const dice: Loss<DiceConfig> = {
  kind: 'dice',
  schema: z.strictObject({ kind: z.literal('dice'), ...diceOptions }),
  classTerm: diceTerm,
};

export function diceTerm(
  graph: Graph,
  { truePositive, predicted, actual }: SoftCounts,
  { epsilon, background, classWeights }: DiceOptions & EveryLoss,
): GraphNode {
  const volume = affine(graph, graph.apply('add', [predicted, actual]), 1, epsilon);
  const overlap = graph.apply('div', [affine(graph, truePositive, 2, epsilon), volume]);
  const [samples, classes] = overlap.shape;
  const kept = background ? overlap : graph.apply('sliceChannels', [overlap], { start: 1, end: classes });
  const weights = background ? classWeights : classWeights?.slice(1);
  return affine(graph, classSum(graph, kept, weights), -1 / (samples * kept.shape[1]), 1);
}
