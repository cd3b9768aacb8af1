import { Graph, runReference } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import type { OptimizerConfig } from './optimizer-config.js';
import { buildOptimizer, optimizerInputs } from './build-optimizer.js';

const adam = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 } as const;

/** Weight [2] after each step, by the reference, from [1, −1] with the given gradients. */
function weightsOf(config: OptimizerConfig, rate: number, gradients: readonly (readonly number[])[]): number[][] {
  const graph = new Graph();
  const weight = graph.variable('w', [2], { kind: 'constant', value: 0 });
  buildOptimizer(graph, [{ weight, gradient: graph.input('g', [2]) }], config);
  let state = new Map<string, ArrayLike<number>>();
  for (const [name, { node }] of graph.variables) state.set(name, new Array<number>(node.shape[0]).fill(0));
  state.set('w', [1, -1]);
  return gradients.map((g, i) => {
    const inputs = Object.entries(optimizerInputs(rate, i + 1, config));
    const results = runReference(graph, new Map<string, ArrayLike<number>>([...state, ...inputs, ['g', g]]));
    state = new Map([...results].map(([name, { data }]) => [name, data]));
    return Array.from(state.get('w') ?? []);
  });
}

const gradients = [1, 2, 3].map((t) => [0.3 * t, -2]);

function expectClose(actual: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void {
  // Scalars are fed as float32.
  actual.forEach((row, t) => row.forEach((value, i) => expect(value).toBeCloseTo(expected[t][i], 7)));
  expect(actual).toHaveLength(expected.length);
}

function adamSteps(rate: number, weightDecay: number): number[][] {
  const [w, m, v] = [[1, -1], [0, 0], [0, 0]]; // biome-ignore format: one state a column
  return gradients.map((g, step) => {
    const t = step + 1;
    for (let i = 0; i < 2; i++) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] ** 2;
      const biasFree = (rate * Math.sqrt(1 - 0.999 ** t)) / (1 - 0.9 ** t);
      w[i] = w[i] - rate * weightDecay * w[i] - (biasFree * m[i]) / (Math.sqrt(v[i]) + 1e-7);
    }
    return [...w];
  });
}

describe('optimisers', () => {
  it('Adam makes the first steps of the published algorithm', () => {
    expectClose(weightsOf(adam, 0.1, gradients), adamSteps(0.1, 0));
    // By hand: the first step has the size of the rate, against the gradient.
    const [first] = weightsOf(adam, 0.1, gradients);
    expect(first[0]).toBeCloseTo(0.9, 5);
    expect(first[1]).toBeCloseTo(-0.9, 5);
  });

  it('AdamW decays the weights beside that', () => {
    const config = { ...adam, kind: 'adamw', weightDecay: 0.2 } as const;
    expectClose(weightsOf(config, 0.1, gradients), adamSteps(0.1, 0.2));
    const [first] = weightsOf(config, 0.1, gradients);
    expect(first[0]).toBeCloseTo(0.9 - 0.02, 5);
    expect(first[1]).toBeCloseTo(-0.9 + 0.02, 5);
  });

  it('SGD follows the gradient, with momentum the velocity, with Nesterov ahead of it', () => {
    const sgd = { kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0 } as const;
    expectClose(weightsOf(sgd, 0.1, gradients.slice(0, 2)), [
      [0.97, -0.8],
      [0.91, -0.6],
    ]);
    // v = .3, then .5·.3 + .6 = .75; and −2, then −3.
    expectClose(weightsOf({ ...sgd, momentum: 0.5 }, 0.1, gradients.slice(0, 2)), [
      [0.97, -0.8],
      [0.895, -0.5],
    ]);
    // g + .5·v: .45, then .6 + .375 = .975; and −3, then −3.5.
    expectClose(weightsOf({ ...sgd, momentum: 0.5, nesterov: true }, 0.1, gradients.slice(0, 2)), [
      [0.955, -0.7],
      [0.8575, -0.35],
    ]);
  });

  it('SGD adds the decay to the gradient', () => {
    const config = { kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0.5 } as const;
    expectClose(weightsOf(config, 0.1, gradients.slice(0, 1)), [[1 - 0.1 * (0.3 + 0.5), -1 + 0.1 * (2 + 0.5)]]);
  });

  it('clips by the norm over all gradients together, and leaves small ones alone', () => {
    const sgd = { kind: 'sgd', momentum: 0, nesterov: false, weightDecay: 0, clipNorm: 2.5 } as const;
    // ‖(3, −4)‖ = 5: halved. ‖(1.5, −2)‖ = 2.5: as it is.
    expectClose(weightsOf(sgd, 1, [[3, -4]]), [[1 - 1.5, -1 + 2]]);
    expectClose(weightsOf(sgd, 1, [[1.5, -2]]), [[1 - 1.5, -1 + 2]]);
    const graph = new Graph();
    const updates = ['a', 'b'].map((name) => ({
      weight: graph.variable(name, [1], { kind: 'constant', value: 0 }),
      gradient: graph.input(`g${name}`, [1]),
    }));
    buildOptimizer(graph, updates, sgd);
    const values = new Map<string, ArrayLike<number>>([
      ['a', [0]],
      ['b', [0]],
      ['ga', [3]],
      ['gb', [4]],
      ['rate', [1]],
    ]);
    const results = runReference(graph, values);
    expect([results.get('a')?.data[0], results.get('b')?.data[0]]).toEqual([-1.5, -2]);
  });
});
