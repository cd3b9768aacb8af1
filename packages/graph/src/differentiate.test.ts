/**
 * Every gradient rule for every input of every operation against central differences, both in float64 with the
 * reference interpreter. Inputs to which no gradient flows (masks, labels) must have differences of 0.
 * The loss is Σ op(x)·c with fixed random c, so a wrong sign, factor or position shows. Values keep away from kinks
 * and ties. Steps of 1e-5 leave an error of about 1e-9; the tolerance is 1e-6 of the gradient's largest element.
 */
import { describe, expect, it } from 'vitest';
import { applyAny } from './apply-any.test.kit.js';
import { differentiate } from './differentiate.js';
import { Graph } from './graph.js';
import { elementCount, type GraphNode, type Shape } from './node.js';
import { type AttributesOf, type OperationName, operationSpecs } from './operations/specs.js';
import { distinctValues, seededRandom } from './random.test.kit.js';
import { runReference } from './reference.js';

const step = 1e-5;
const tolerance = 1e-6;

interface Source {
  readonly shape: Shape;
  /** `apart`: positive and negative, distinct; `positive`: 0.5 to 1.5; `label`: 0, 1 or 2; `mask`: as `apart`, no gradient. */
  readonly kind: 'apart' | 'positive' | 'label' | 'mask';
}

interface Case<Op extends OperationName = OperationName> {
  readonly sources: readonly Source[];
  readonly attributes?: AttributesOf<Op>;
  /** Makes the tensor to check, default: the operation applied to the sources. */
  readonly build?: (graph: Graph, nodes: readonly GraphNode[]) => GraphNode;
}

const apart = (...shape: number[]): Source => ({ shape, kind: 'apart' });
const positive = (...shape: number[]): Source => ({ shape, kind: 'positive' });
const mask = (...shape: number[]): Source => ({ shape, kind: 'mask' });
const label = (...shape: number[]): Source => ({ shape, kind: 'label' });

const epsilon = 1e-3;

/** batchNorm with the statistics of its own image, which its rule differentiates by itself. */
function normalised(graph: Graph, x: GraphNode, gamma: GraphNode, beta: GraphNode): GraphNode {
  const scale = x.shape[1] / elementCount(x.shape);
  const mean = graph.apply('affine', [graph.apply('channelSum', [x])], { scale, offset: 0 });
  const variance = graph.apply('channelVariance', [x, mean]);
  return graph.apply('batchNorm', [x, mean, variance, gamma, beta], { epsilon, training: true });
}

const cases: { readonly [Op in OperationName]: readonly Case<Op>[] } = {
  add: [{ sources: [apart(2, 3), apart(2, 3)] }, { sources: [apart(3)], build: (g, [x]) => g.apply('add', [x, x]) }],
  sub: [{ sources: [apart(2, 3), apart(2, 3)] }],
  mul: [{ sources: [apart(2, 3), apart(2, 3)] }, { sources: [apart(3)], build: (g, [x]) => g.apply('mul', [x, x]) }],
  div: [{ sources: [apart(2, 3), positive(2, 3)] }],
  affine: [{ sources: [apart(2, 3)], attributes: { scale: -2.5, offset: 3 } }],
  scale: [{ sources: [apart(2, 3), positive()] }, { sources: [positive(), positive()] }],
  relu: [{ sources: [apart(1, 2, 2, 3, 1)] }],
  reluGradient: [{ sources: [apart(2, 5), mask(2, 5)] }],
  leakyRelu: [{ sources: [apart(2, 5)], attributes: { slope: 0.2 } }],
  leakyReluGradient: [{ sources: [apart(2, 5), mask(2, 5)], attributes: { slope: 0.2 } }],
  sigmoid: [{ sources: [apart(2, 5)] }],
  exp: [{ sources: [apart(2, 5)] }],
  log: [{ sources: [positive(2, 5)] }],
  sqrt: [{ sources: [positive(2, 5)] }],
  conv3d: [
    { sources: [apart(1, 2, 3, 2, 3), apart(3, 2, 3, 3, 3)], attributes: { stride: 1 } },
    { sources: [apart(2, 3, 2, 3, 2), apart(2, 3, 1, 1, 1)], attributes: { stride: 1 } },
    { sources: [apart(2, 1, 1, 3, 4), apart(2, 1, 1, 3, 5)], attributes: { stride: 1 } },
    { sources: [apart(2, 2, 2, 4, 2), apart(3, 2, 2, 2, 2)], attributes: { stride: 2 } },
    { sources: [apart(1, 1, 3, 3, 6), apart(2, 1, 3, 3, 3)], attributes: { stride: 3 } },
  ],
  conv3dInputGradient: [
    { sources: [apart(1, 3, 3, 2, 3), apart(3, 2, 3, 3, 3)] },
    { sources: [apart(2, 2, 2, 3, 2), apart(2, 3, 1, 1, 1)] },
    { sources: [apart(2, 2, 1, 3, 4), apart(2, 1, 1, 3, 5)] },
  ],
  conv3dWeightGradient: [
    { sources: [apart(1, 2, 3, 2, 3), apart(1, 3, 3, 2, 3)], attributes: { kernel: [3, 3, 3], stride: 1 } },
    { sources: [apart(2, 3, 2, 3, 2), apart(2, 2, 2, 3, 2)], attributes: { kernel: [1, 1, 1], stride: 1 } },
    { sources: [apart(2, 2, 2, 4, 2), apart(2, 3, 1, 2, 1)], attributes: { kernel: [2, 2, 2], stride: 2 } },
  ],
  convTranspose3d: [
    { sources: [apart(2, 3, 1, 2, 2), apart(3, 2, 2, 2, 2)] },
    { sources: [apart(1, 2, 2, 1, 3), apart(2, 1, 1, 1, 1)] },
  ],
  addChannel: [{ sources: [apart(2, 3, 2, 1, 2), apart(3)] }],
  channelSum: [{ sources: [apart(2, 3, 2, 1, 2)] }],
  channelSumProduct: [
    { sources: [apart(2, 3, 2, 1, 2), apart(2, 3, 2, 1, 2)] },
    { sources: [apart(2, 2, 2, 1, 2)], build: (g, [x]) => g.apply('channelSumProduct', [x, x]) },
  ],
  channelVariance: [
    { sources: [apart(2, 3, 2, 1, 2), apart(3)] },
    {
      sources: [apart(2, 3, 2, 1, 2)],
      build: (g, [x]) => {
        const mean = g.apply('affine', [g.apply('channelSum', [x])], { scale: 1 / 8, offset: 0 });
        return g.apply('channelVariance', [x, mean]);
      },
    },
  ],
  channelCombine: [{ sources: [apart(2, 3, 2, 1, 2), apart(2, 3, 2, 1, 2), apart(3), apart(3), apart(3)] }],
  batchNorm: [
    {
      sources: [apart(2, 3, 2, 1, 2), apart(3), apart(3)],
      build: (g, [x, gamma, beta]) => normalised(g, x, gamma, beta),
    },
    { sources: [apart(1, 2, 1, 3, 1), apart(2), apart(2)], build: (g, [x, a, b]) => normalised(g, x, a, b) },
    {
      sources: [apart(2, 3, 2, 1, 2), apart(3), positive(3), apart(3), apart(3)],
      attributes: { epsilon, training: false },
    },
  ],
  concat: [
    { sources: [apart(2, 1, 2, 1, 2), apart(2, 3, 2, 1, 2), apart(2, 2, 2, 1, 2)] },
    { sources: [apart(2, 1, 2, 1, 2)], build: (g, [x]) => g.apply('concat', [x, x]) },
  ],
  sliceChannels: [
    { sources: [apart(2, 4, 2, 1, 2)], attributes: { start: 0, end: 3 } },
    { sources: [apart(2, 4, 2, 1, 2)], attributes: { start: 1, end: 2 } },
    { sources: [apart(2, 4, 2, 1, 2)], attributes: { start: 2, end: 4 } },
    { sources: [apart(1, 2, 2, 1, 2)], attributes: { start: 0, end: 2 } },
  ],
  maxPool: [{ sources: [apart(2, 2, 4, 2, 2)] }],
  maxPoolGradient: [
    {
      sources: [apart(2, 2, 2, 1, 2), mask(2, 2, 4, 2, 4)],
      build: (g, [dy, x]) => g.apply('maxPoolGradient', [dy, g.apply('maxPool', [x]), x]),
    },
    { sources: [apart(1, 1, 2, 1, 1), mask(1, 1, 2, 1, 1), mask(1, 1, 4, 2, 2)] },
  ],
  resizeGradient: (['trilinear', 'nearest'] as const).flatMap((mode) => [
    { sources: [apart(2, 1, 4, 2, 6)], attributes: { factor: 2, mode } },
    { sources: [apart(1, 2, 4, 8, 4)], attributes: { factor: 4, mode } },
  ]),
  resize: (['trilinear', 'nearest'] as const).flatMap((mode) => [
    { sources: [apart(2, 1, 2, 1, 3)], attributes: { factor: 2, mode } },
    { sources: [apart(1, 2, 1, 2, 1)], attributes: { factor: 4, mode } },
  ]),
  logSoftmax: [{ sources: [apart(2, 4, 1, 2, 2)] }, { sources: [apart(1, 2, 1, 2, 1)] }],
  logSoftmaxGradient: [
    { sources: [apart(2, 4, 1, 2, 2), apart(2, 4, 1, 2, 2)] },
    { sources: [apart(3, 2), apart(3, 2)] },
  ],
  oneHot: [
    { sources: [label(2, 1, 2, 2)], attributes: { classes: 3 } },
    {
      // No gradient flows to labels; beside them it must.
      sources: [apart(2, 3, 1, 2, 2), label(2, 1, 2, 2)],
      build: (g, [x, labels]) => g.apply('mul', [x, g.apply('oneHot', [labels], { classes: 3 })]),
    },
  ],
  spatialSum: [{ sources: [apart(2, 3, 2, 1, 2)] }],
  spatialSumProduct: [
    { sources: [apart(2, 3, 2, 1, 2), apart(2, 3, 2, 1, 2)] },
    { sources: [apart(2, 2, 2, 1, 2)], build: (g, [x]) => g.apply('spatialSumProduct', [x, x]) },
    {
      sources: [apart(2, 3, 1, 2, 2), label(2, 1, 2, 2)],
      build: (g, [x, labels]) => g.apply('spatialSumProduct', [x, g.apply('oneHot', [labels], { classes: 3 })]),
    },
  ],
  spatialScale: [{ sources: [apart(2, 3, 2, 1, 2), apart(2, 3)] }],
  spatialExpand: [{ sources: [apart(2, 3)], attributes: { grid: [2, 1, 3] } }],
  sum: [{ sources: [apart(2, 3)] }],
};

function valuesOf({ shape, kind }: Source, seed: number): Float64Array {
  const random = seededRandom(seed);
  const count = elementCount(shape);
  if (kind === 'apart' || kind === 'mask') return distinctValues(count, seed, 0.04);
  if (kind === 'label') return Float64Array.from({ length: count }, () => Math.floor(random() * 3));
  return Float64Array.from({ length: count }, () => 0.5 + random());
}

interface Problem {
  readonly sources: readonly Source[];
  readonly build: (graph: Graph, nodes: readonly GraphNode[]) => GraphNode;
  readonly values: Map<string, Float64Array>;
}

/** Σ build(x)·c, and for `wanted` the gradients of it as outputs `gradient i`. */
function lossGraph({ sources, build }: Problem, wanted: readonly number[]): Graph {
  const graph = new Graph();
  const nodes = sources.map(({ shape, kind }, i) =>
    graph.input(`x${i}`, shape, kind === 'label' ? 'uint8' : 'float32'),
  );
  const y = build(graph, nodes);
  const loss = graph.apply('sum', [graph.apply('mul', [y, graph.input('c', y.shape)])]);
  graph.output('loss', loss);
  if (wanted.length === 0) return graph;
  const gradients = differentiate(
    graph,
    loss,
    wanted.map((i) => nodes[i]),
  );
  gradients.forEach((gradient, i) => {
    expect(gradient.shape).toEqual(sources[wanted[i]].shape);
    graph.output(`gradient ${wanted[i]}`, gradient);
  });
  return graph;
}

function checkGradients(problem: Problem): void {
  const { sources, values } = problem;
  const wanted = sources.flatMap(({ kind }, i) => (kind === 'apart' || kind === 'positive' ? [i] : []));
  const forward = lossGraph(problem, []);
  const random = seededRandom(99);
  const coefficients = forward.inputs.get('c')?.shape ?? [];
  values.set(
    'c',
    Float64Array.from({ length: elementCount(coefficients) }, () => 0.3 + random()).map((c, i) => (i % 3 ? c : -c)),
  );
  const lossNow = (): number => runReference(forward, values).get('loss')?.data[0] ?? Number.NaN;
  const differences = (i: number): Float64Array => {
    const data = values.get(`x${i}`) as Float64Array;
    return data.map((value, at) => {
      data[at] = value + step;
      const above = lossNow();
      data[at] = value - step;
      const below = lossNow();
      data[at] = value;
      return (above - below) / (2 * step);
    });
  };
  sources.forEach(({ kind }, i) => {
    if (kind !== 'mask' && kind !== 'label') return;
    expect(() => lossGraph(problem, [i]), `input ${i}`).toThrow(`no gradient flows to x${i}`);
    if (kind === 'mask') expect(differences(i).every((slope) => slope === 0)).toBe(true);
  });
  const analytic = runReference(lossGraph(problem, wanted), values);
  for (const i of wanted) {
    const numeric = differences(i);
    const gradient = analytic.get(`gradient ${i}`)?.data ?? new Float64Array();
    const largest = numeric.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    expect(largest, 'a gradient that is 0 checks nothing').toBeGreaterThan(1e-3);
    expect(gradient).toHaveLength(numeric.length);
    const worst = numeric.reduce((top, value, at) => Math.max(top, Math.abs(value - gradient[at])), 0);
    expect(
      worst / largest,
      `input ${i}: [${gradient.slice(0, 8).join()}], expected [${numeric.slice(0, 8).join()}]`,
    ).toBeLessThan(tolerance);
  }
}

describe('gradient rules', () => {
  it('each input of each operation stands by itself in a case', () => {
    for (const [op, list] of Object.entries(cases)) {
      const { inputs }: { inputs: readonly string[] | 'variadic' } = operationSpecs[op as OperationName];
      // An image with its own statistics and a sum of products with itself need more than the operation alone.
      const plain = list.filter(({ build }) => build === undefined);
      const counts = new Set(plain.map(({ sources }) => sources.length));
      expect([...counts], op).toEqual([inputs === 'variadic' ? 3 : inputs.length]);
    }
  });

  const table = Object.entries(cases).flatMap(([op, list]: [string, readonly Case[]]) =>
    list.map((one) => ({
      op,
      one,
      title: `${one.sources.map(({ shape }) => `[${shape}]`).join(' ')} ${JSON.stringify(one.attributes ?? {})}`,
    })),
  );
  it.each(table)('$op $title', ({ op, one: { sources, attributes, build } }) => {
    const values = new Map(sources.map((source, i) => [`x${i}`, valuesOf(source, 7 * i + 3)]));
    checkGradients({ sources, values, build: build ?? ((graph, nodes) => applyAny(graph, op, nodes, attributes)) });
  });
});

describe('whole networks', () => {
  it('encoder, decoder, skip connection, batch statistics and a Dice + cross-entropy loss', () => {
    // biome-ignore format: image, weights in order, labels
    const sources = [
      apart(2, 1, 4, 2, 4), apart(2, 1, 3, 3, 3), apart(2), apart(2), apart(3, 2, 2, 2, 2), apart(3, 2, 2, 2, 2),
      apart(3, 4, 1, 1, 1), apart(3), label(2, 4, 2, 4),
    ];
    const build = (g: Graph, [x, w1, gamma, beta, down, up, last, bias, labels]: readonly GraphNode[]): GraphNode => {
      const first = g.apply('leakyRelu', [normalised(g, g.apply('conv3d', [x, w1], { stride: 1 }), gamma, beta)], {
        slope: 0.1,
      });
      const low = g.apply('sigmoid', [g.apply('conv3d', [first, down], { stride: 2 })]);
      const joined = g.apply('concat', [first, g.apply('convTranspose3d', [low, up])]);
      const logits = g.apply('addChannel', [g.apply('conv3d', [joined, last], { stride: 1 }), bias]);
      const logp = g.apply('logSoftmax', [logits]);
      const truth = g.apply('oneHot', [labels], { classes: 3 });
      const p = g.apply('exp', [logp]);
      const top = g.apply('affine', [g.apply('spatialSumProduct', [p, truth])], { scale: 2, offset: 1e-3 });
      const bottom = g.apply('affine', [g.apply('add', [g.apply('spatialSum', [p]), g.apply('spatialSum', [truth])])], {
        scale: 1,
        offset: 1e-3,
      });
      return g.apply('sub', [g.apply('div', [top, bottom]), g.apply('spatialSumProduct', [logp, truth])]);
    };
    const values = new Map(sources.map((source, i) => [`x${i}`, valuesOf(source, 11 * i + 5)]));
    checkGradients({ sources, values, build });
  });

  it('differentiates gradients again', () => {
    const sources = [apart(2, 1, 2, 2, 2), apart(2, 1, 3, 3, 3), apart(2), apart(2), label(2, 1, 1, 1)];
    const build = (g: Graph, [x, w, gamma, beta, labels]: readonly GraphNode[]): GraphNode => {
      const y = normalised(g, g.apply('conv3d', [x, w], { stride: 1 }), gamma, beta);
      const pooled = g.apply('maxPool', [g.apply('leakyRelu', [y], { slope: 0.1 })]);
      const truth = g.apply('oneHot', [labels], { classes: 2 });
      const loss = g.apply('sum', [g.apply('mul', [g.apply('logSoftmax', [pooled]), truth])]);
      return differentiate(g, loss, [w])[0];
    };
    const values = new Map(sources.map((source, i) => [`x${i}`, valuesOf(source, 13 * i + 2)]));
    checkGradients({ sources, values, build });
  });

  it('adds up over all paths of a tensor that is read many times', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    const squared = graph.apply('mul', [x, x]);
    const loss = graph.apply('sum', [graph.apply('add', [graph.apply('mul', [squared, x]), squared])]);
    graph.output('dx', differentiate(graph, loss, [x])[0]);
    // d(x³ + x²) = 3x² + 2x
    expect([...(runReference(graph, new Map([['x', [2, -3]]])).get('dx')?.data ?? [])]).toEqual([16, 21]);
  });

  it('the gradient of the loss for itself is 1', () => {
    const graph = new Graph();
    const loss = graph.apply('sum', [graph.input('x', [2])]);
    graph.output('one', differentiate(graph, loss, [loss])[0]);
    expect([...(runReference(graph, new Map()).get('one')?.data ?? [])]).toEqual([1]);
  });

  it('sends the gradient of a tie to the first maximum only', () => {
    const graph = new Graph();
    const x = graph.input('x', [1, 1, 2, 2, 2]);
    const loss = graph.apply('sum', [graph.apply('maxPool', [x])]);
    graph.output('dx', differentiate(graph, loss, [x])[0]);
    const { data } = runReference(graph, new Map([['x', [0, 5, 5, 1, 5, 0, 0, 5]]])).get('dx') ?? { data: [] };
    expect([...data]).toEqual([0, 1, 0, 0, 0, 0, 0, 0]);
  });
});

describe('refusals', () => {
  it('a loss that is not a scalar', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    expect(() => differentiate(graph, x, [x])).toThrow('differentiate: the loss has shape [2], expected a scalar');
  });

  it('a target that the loss does not depend on', () => {
    const graph = new Graph();
    const loss = graph.apply('sum', [graph.input('x', [2])]);
    const other = graph.variable('other', [2], { kind: 'constant', value: 0 });
    expect(() => differentiate(graph, loss, [other])).toThrow('the loss does not depend on other');
  });

  it('labels, to which no gradient flows', () => {
    const graph = new Graph();
    const labels = graph.input('labels', [1, 2, 2, 2], 'uint8');
    const loss = graph.apply('sum', [graph.apply('oneHot', [labels], { classes: 2 })]);
    expect(() => differentiate(graph, loss, [labels])).toThrow('differentiate: no gradient flows to labels');
  });

  /** Batch norm in training mode with statistics that are not those of its image. */
  function foreignNorm(): { graph: Graph; loss: GraphNode; x: GraphNode; mean: GraphNode; gamma: GraphNode } {
    const graph = new Graph();
    const x = graph.input('x', [1, 2, 2, 2, 2]);
    const [mean, variance, gamma, beta] = ['mean', 'variance', 'gamma', 'beta'].map((name) => graph.input(name, [2]));
    const y = graph.apply('batchNorm', [x, mean, variance, gamma, beta], { epsilon, training: true });
    return { graph, loss: graph.apply('sum', [graph.apply('mul', [y, y])]), x, mean, gamma };
  }

  it('an input that the operation has no rule for', () => {
    const { graph, loss, x, mean } = foreignNorm();
    expect(() => differentiate(graph, loss, [x])).toThrow('batchNorm: not differentiable for its input image: with');
    expect(() => differentiate(graph, loss, [mean])).toThrow('batchNorm: not differentiable for its input mean: with');
  });

  it('but not such an input beside the path', () => {
    const { graph, loss, gamma } = foreignNorm();
    expect(differentiate(graph, loss, [gamma])[0].shape).toEqual([2]);
  });
});

describe('what is appended', () => {
  it('is nothing that only gradients of others need', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    const factor = graph.input('factor', []);
    const loss = graph.apply('sum', [graph.apply('scale', [x, factor])]);
    const before = graph.nodes.length;
    differentiate(graph, loss, [x]);
    // dloss/dloss, ones for the sum, the sum's gradient, the scale's.
    expect(graph.nodes.slice(before).map(({ op }) => op)).toEqual(['constant', 'constant', 'scale', 'scale']);
  });
});
