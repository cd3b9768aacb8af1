import { differentiate, Graph, type GraphNode, runReference } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import { buildDeepLoss, buildLoss, type LossOptions } from './build-loss.js';
import type { LossConfig } from './loss-config.js';

const paper = { alpha: 0.5, beta: 0.5, epsilon: 1e-6 };
const tiny = 1e-12;

/** Loss, its terms and its gradient for logits of the given shape. */
function lossOf(
  logits: readonly number[],
  labels: readonly number[],
  shape: readonly number[],
  settings: LossConfig,
  options: LossOptions = {},
): { loss: number; crossEntropy: number; tversky: number; gradient: Float64Array; predicted: Float64Array } {
  const graph = new Graph();
  const z = graph.input('logits', shape);
  const y = graph.input('labels', [shape[0], ...shape.slice(2)], 'uint8');
  const nodes = buildLoss(graph, z, y, settings, options);
  for (const name of ['loss', 'crossEntropy', 'tversky', 'predicted'] as const) graph.output(name, nodes[name]);
  graph.output('gradient', differentiate(graph, nodes.loss, [z])[0]);
  const results = runReference(
    graph,
    new Map([
      ['logits', logits],
      ['labels', labels],
    ]),
  );
  const data = (name: string): Float64Array => results.get(name)?.data ?? new Float64Array();
  const scalar = (name: string): number => data(name)[0];
  return {
    loss: scalar('loss'),
    crossEntropy: scalar('crossEntropy'),
    tversky: scalar('tversky'),
    gradient: data('gradient'),
    predicted: data('predicted'),
  };
}

describe('loss of the paper', () => {
  it('has the check value of spec section 6: uniform p, prevalences .85 .07 .07 .01', () => {
    const labels = [0.85, 0.07, 0.07, 0.01].flatMap((share, c) => new Array<number>(Math.round(share * 1000)).fill(c));
    const logits = new Array<number>(4000).fill(0.3);
    for (const settings of [paper, { kind: 'tversky-ce', ...paper } as const]) {
      const result = lossOf(logits, labels, [1, 4, 10, 10, 10], settings);
      expect(result.tversky).toBeCloseTo(3.376, 3);
      expect(result.crossEntropy).toBeCloseTo(Math.log(4), 6);
      expect(result.loss).toBeCloseTo(4.762, 3);
    }
  });

  it('weighs missed voxels with alpha and false ones with beta', () => {
    const certain = 40;
    // voxels: p1 = [1, 0, 0, 1] by the second channel; truth 1, 1, 0, 1 → one miss, no false alarm for class 1.
    const result = lossOf([0, certain, certain, 0, certain, 0, 0, certain], [1, 1, 0, 1], [1, 2, 1, 2, 2], {
      alpha: 0.2,
      beta: 0.8,
      epsilon: 0,
    });
    // class 1: TP 2, FN 1, FP 0; class 0: TP 1, FN 0, FP 1.
    expect(result.tversky).toBeCloseTo(2 - 2 / (2 + 0.2) - 1 / (1 + 0.8), 6);
  });
});

// Four voxels, two classes, p of class 1 is .9 .6 .2 .1 and the truth 1 1 0 0:
// class 1 has TP 1.5, P 1.8, A 2; class 0 has TP 1.7, P 2.2, A 2.
const shape = [1, 2, 1, 2, 2];
const p1 = [0.9, 0.6, 0.2, 0.1];
const logits = [...p1.map((p) => Math.log(1 - p)), ...p1.map((p) => Math.log(p))];
const labels = [1, 1, 0, 0];

const handComputed: [LossConfig, number][] = [
  [{ kind: 'cross-entropy' }, 0.2361726],
  // (.1²·.1053605 + .4²·.5108256 + .2²·.2231436 + .1²·.1053605) / 4
  [{ kind: 'focal', gamma: 2 }, 0.0231913],
  // 3/3.8 and 3.4/4.2
  [{ kind: 'dice', epsilon: tiny, background: true }, 0.2005013],
  [{ kind: 'dice', epsilon: tiny, background: false }, 0.2105263],
  [{ kind: 'dice-ce', epsilon: tiny, background: false }, 0.2105263 + 0.2361726],
  // Equal volumes, equal weights: 2·3.2/8.
  [{ kind: 'generalized-dice', epsilon: tiny }, 0.2],
  // 1.5/(1.5 + .3·.5 + .7·.3) and 1.7/(1.7 + .3·.3 + .7·.5)
  [{ kind: 'tversky', alpha: 0.3, beta: 0.7, epsilon: tiny }, 0.3991559],
  // .1935484^.75 + .2056075^.75 = .2918048 + .3053369
  [{ kind: 'focal-tversky', alpha: 0.3, beta: 0.7, epsilon: tiny, gamma: 4 / 3 }, 0.5971414],
  [{ kind: 'tversky-ce', alpha: 0.3, beta: 0.7, epsilon: tiny }, 0.3991559 + 0.2361726],
];

function expectGradient(settings: LossConfig): void {
  for (const [truth, options] of [
    [labels, {}],
    [[1, 255, 0, 0], { ignore: true }],
  ] as const) {
    const { gradient } = lossOf(logits, truth, shape, settings, options);
    logits.forEach((_, i) => {
      const moved = (by: number): number => {
        const at = logits.map((value, k) => (k === i ? value + by : value));
        return lossOf(at, truth, shape, settings, options).loss;
      };
      expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6);
    });
  }
}

describe('losses', () => {
  it.each(handComputed)('%o has its hand-computed value', (settings, expected) => {
    expect(lossOf(logits, labels, shape, settings).loss).toBeCloseTo(expected, 6);
  });

  it('generalised Dice weighs a class by the inverse square of its volume', () => {
    // Truth 1 0 0 0: class 1 has TP .9, P 1.8, A 1, weight 1; class 0 has TP 2.1, P 2.2, A 3, weight 1/9.
    const expected = 1 - (2 * (0.9 + 2.1 / 9)) / (2.8 + 5.2 / 9);
    const result = lossOf(logits, [1, 0, 0, 0], shape, { kind: 'generalized-dice', epsilon: tiny });
    expect(result.loss).toBeCloseTo(expected, 9);
  });

  it.each(handComputed)('%o has the gradient of finite differences, with ignored voxels too', expectGradient);

  it('a perfect prediction costs nothing and its gradient is finite', () => {
    const certain = labels.flatMap((label) => (label === 0 ? 200 : 0));
    const perfect = [...certain, ...certain.map((value) => 200 - value)];
    for (const [settings] of handComputed) {
      const { loss, gradient } = lossOf(perfect, labels, shape, settings);
      expect(loss).toBeLessThan(1e-4);
      expect(gradient.every(Number.isFinite)).toBe(true);
    }
  });
});

describe('class weights', () => {
  const classWeights = [1, 3];
  /** Weighed means: of the truth's voxels for the voxel terms, of the classes for the others. */
  const weighed: [LossConfig, number][] = [
    // (3·(.1053605 + .5108256) + 1·(.2231436 + .1053605)) / 8
    [{ kind: 'cross-entropy', classWeights }, 0.2721328],
    [{ kind: 'focal', gamma: 2, classWeights }, 0.0322921],
    // 1 − (1·3.4/4.2 + 3·3/3.8) / 4
    [{ kind: 'dice', epsilon: tiny, background: true, classWeights }, 0.2055138],
    // One class is left: nothing to weigh it against.
    [{ kind: 'dice', epsilon: tiny, background: false, classWeights }, 0.2105263],
    [{ kind: 'dice-ce', epsilon: tiny, background: false, classWeights }, 0.2105263 + 0.2721328],
    // 1 − 2·(1·1.7 + 3·1.5) / (1·4.2 + 3·3.8)
    [{ kind: 'generalized-dice', epsilon: tiny, classWeights }, 0.2051282],
    // 2·(1·.2056075 + 3·.1935484) / 4
    [{ kind: 'tversky', alpha: 0.3, beta: 0.7, epsilon: tiny, classWeights }, 0.3931263],
    [{ kind: 'focal-tversky', alpha: 0.3, beta: 0.7, epsilon: tiny, gamma: 4 / 3, classWeights }, 0.5903757],
    [{ kind: 'tversky-ce', alpha: 0.3, beta: 0.7, epsilon: tiny, classWeights }, 0.3931263 + 0.2721328],
  ];

  it.each(weighed)('%o has its hand-computed value', (settings, expected) => {
    expect(lossOf(logits, labels, shape, settings).loss).toBeCloseTo(expected, 6);
  });

  it.each(weighed)('%o has the gradient of finite differences, with ignored voxels too', expectGradient);

  it.each(weighed)('%o depends on the ratios alone, and equal ones change nothing', (settings) => {
    const { classWeights: _weights, ...plain } = settings;
    const of = (some?: readonly number[]): number =>
      lossOf(logits, labels, shape, { ...plain, ...(some && { classWeights: some }) }).loss;
    expect(of([20, 60])).toBeCloseTo(of(classWeights), 12);
    expect(of([7, 7])).toBeCloseTo(of(), 12);
  });

  it('a patch without any class costs a finite amount, whatever the weights', () => {
    const weights: LossConfig = { kind: 'cross-entropy', classWeights: [0.01, 5] };
    const nowhere = lossOf(logits, [255, 255, 255, 255], shape, weights, { ignore: true });
    expect(nowhere.loss).toBeCloseTo(0, 12);
    expect(nowhere.gradient.every((value) => Math.abs(value) < 1e-9)).toBe(true);
    // One voxel of the lightest class still counts as one.
    const one = lossOf(logits, [255, 255, 0, 255], shape, weights, { ignore: true });
    expect(one.loss).toBeCloseTo(0.2231436, 6);
  });
});

describe('soft truth', () => {
  // Class 1 has .8 .6 .1 .3 of the voxels.
  const shares = [0.2, 0.4, 0.9, 0.7, 0.8, 0.6, 0.1, 0.3];
  const softLoss = (at: readonly number[], truth: readonly number[], settings: LossConfig, ignore = false): Soft => {
    const graph = new Graph();
    const z = graph.input('logits', shape);
    const nodes = buildLoss(graph, z, graph.input('truth', shape), settings, { ignore });
    graph.output('loss', nodes.loss);
    graph.output('gradient', differentiate(graph, nodes.loss, [z])[0]);
    const values = new Map<string, readonly number[]>([
      ['logits', at],
      ['truth', truth],
    ]);
    const results = runReference(graph, values);
    return { loss: results.get('loss')?.data[0] ?? Number.NaN, gradient: results.get('gradient')?.data ?? [] };
  };
  interface Soft {
    readonly loss: number;
    readonly gradient: ArrayLike<number>;
  }

  it('has hand-computed values', () => {
    // −(.8·ln .9 + .2·ln .1 + .6·ln .6 + .4·ln .4 + .1·ln .2 + .9·ln .8 + .3·ln .1 + .7·ln .9) / 4
    expect(softLoss(logits, shares, { kind: 'cross-entropy' }).loss).toBeCloseTo(0.5860295, 6);
    // Class 1: TP .72 + .36 + .02 + .03 = 1.13, P 1.8, A 1.8; class 0: TP .02 + .16 + .72 + .63 = 1.53, P 2.2, A 2.2.
    const dice = 1 - (2.26 / 3.6 + 3.06 / 4.4) / 2;
    expect(softLoss(logits, shares, { kind: 'dice', epsilon: tiny, background: true }).loss).toBeCloseTo(dice, 9);
  });

  it.each(handComputed)('%o is that of the labels where the shares are, ignored voxels included', (settings) => {
    const oneHot = [0, 0, 1, 1, 1, 1, 0, 0];
    expect(softLoss(logits, oneHot, settings).loss).toBe(lossOf(logits, labels, shape, settings).loss);
    const partly = [0, 0, 1, 0, 1, 1, 0, 0];
    const hard = lossOf(logits, [1, 1, 0, 255], shape, settings, { ignore: true });
    expect(softLoss(logits, partly, settings, true).loss).toBe(hard.loss);
  });

  it.each(handComputed)('%o has the gradient of finite differences', (settings) => {
    const { gradient } = softLoss(logits, shares, settings);
    logits.forEach((_, i) => {
      const moved = (by: number): number =>
        softLoss(
          logits.map((value, k) => (k === i ? value + by : value)),
          shares,
          settings,
        ).loss;
      expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6);
    });
  });

  it('cross-entropy is least at the shares themselves, where its gradient is 0', () => {
    const { gradient } = softLoss(shares.map(Math.log), shares, { kind: 'cross-entropy' });
    for (let i = 0; i < gradient.length; i++) expect(gradient[i]).toBeCloseTo(0, 12);
  });
});

describe('ignored voxels', () => {
  it('count in no term', () => {
    const partly = [1, 1, 0, 255];
    const ignore = { ignore: true };
    const ce = lossOf(logits, partly, shape, { kind: 'cross-entropy' }, ignore);
    expect(ce.loss).toBeCloseTo((0.1053605 + 0.5108256 + 0.2231436) / 3, 6);
    expect(ce.gradient[3]).toBeCloseTo(0, 12);
    expect(ce.gradient[7]).toBeCloseTo(0, 12);
    // Class 1: 3/3.7, class 0: 1.6/2.3.
    const dice = lossOf(logits, partly, shape, { kind: 'dice', epsilon: tiny, background: true }, ignore);
    expect(dice.loss).toBeCloseTo(1 - (3 / 3.7 + 1.6 / 2.3) / 2, 9);
    expect(dice.gradient[3]).toBeCloseTo(0, 12);
    expect(Array.from(dice.predicted, (value) => Number(value.toFixed(9)))).toEqual([1.3, 1.7]);
  });

  it('changes nothing where every voxel has a class', () => {
    for (const [settings] of handComputed) {
      const plain = lossOf(logits, labels, shape, settings);
      expect(lossOf(logits, labels, shape, settings, { ignore: true }).loss).toBeCloseTo(plain.loss, 12);
    }
  });

  it('a patch without any class costs a finite amount', () => {
    const { loss, gradient } = lossOf(logits, [255, 255, 255, 255], shape, paper, { ignore: true });
    expect(Number.isFinite(loss)).toBe(true);
    expect(gradient.every((value) => Math.abs(value) < 1e-9)).toBe(true);
  });
});

describe('deep supervision', () => {
  const fine = Array.from({ length: 16 }, (_, i) => Math.sin(i));
  const truth = [1, 0, 0, 0, 0, 0, 0, 0];
  const coarse = [Math.log(0.25), Math.log(0.75)];

  function deep(levelWeights?: readonly number[]): number {
    const graph = new Graph();
    const heads: GraphNode[] = [graph.input('fine', [1, 2, 2, 2, 2]), graph.input('coarse', [1, 2, 1, 1, 1])];
    const y = graph.input('labels', [1, 2, 2, 2], 'uint8');
    const settings: LossConfig = { kind: 'cross-entropy', ...(levelWeights ? { levelWeights } : {}) };
    graph.output('loss', buildDeepLoss(graph, heads, y, settings).loss);
    const values = new Map<string, readonly number[]>([
      ['fine', fine],
      ['coarse', coarse],
      ['labels', truth],
    ]);
    return runReference(graph, values).get('loss')?.data[0] ?? Number.NaN;
  }

  it('compares a coarse head with the share of each class, weights halving and summing to 1', () => {
    const first = lossOf(fine, truth, [1, 2, 2, 2, 2], { kind: 'cross-entropy' }).loss;
    const second = -(7 / 8) * Math.log(0.25) - (1 / 8) * Math.log(0.75);
    expect(deep()).toBeCloseTo((2 * first + second) / 3, 9);
    expect(deep([3, 1])).toBeCloseTo((3 * first + second) / 4, 9);
  });
});
