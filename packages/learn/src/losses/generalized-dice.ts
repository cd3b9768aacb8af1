/**
 * The generalised Dice loss: 1 − (1/N) Σ_n (2 Σ_c w·TP + ε)/(Σ_c w·(P + A) + ε),  w = v/max(A, 1)² (Sudre et al. 2017).
 */
import type { GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import { everyLoss, type Loss, positive } from './loss.js';
import { affine, atLeast, relative, weighedClasses } from './nodes.js';

interface GeneralizedDiceConfig {
  readonly kind: 'generalized-dice';
  readonly epsilon: number;
}

export const generalizedDice: Loss<GeneralizedDiceConfig> = {
  kind: 'generalized-dice',
  schema: z.strictObject({ kind: z.literal('generalized-dice'), epsilon: positive, ...everyLoss }),
  classTerm(graph, { truePositive, predicted, actual }, { epsilon, classWeights }) {
    const [samples, classes] = actual.shape;
    const floor = atLeast(graph, actual, 1);
    const weight = graph.apply('div', [graph.constant(1, actual.shape), graph.apply('mul', [floor, floor])]);
    // Σ_c for every sample: [N, C, 1, 1, 1] has no operation of its own, a slice of each class has.
    const slices = (x: GraphNode): GraphNode[] =>
      classWeights === undefined
        ? Array.from({ length: classes }, (_, c) => graph.apply('sliceChannels', [x], { start: c, end: c + 1 }))
        : weighedClasses(graph, x, relative(classWeights));
    const overClasses = (x: GraphNode): GraphNode => slices(x).reduce((sum, one) => graph.apply('add', [sum, one]));
    const overlap = overClasses(graph.apply('mul', [weight, truePositive]));
    const volume = overClasses(graph.apply('mul', [weight, graph.apply('add', [predicted, actual])]));
    const ratio = graph.apply('div', [affine(graph, overlap, 2, epsilon), affine(graph, volume, 1, epsilon)]);
    return affine(graph, graph.apply('sum', [ratio]), -1 / samples, 1);
  },
};
