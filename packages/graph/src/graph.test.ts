/** Shape errors say what came and what was expected; names are unique; only needed nodes are executed. */
import { describe, expect, it } from 'vitest';
import { applyAny } from './apply-any.test.kit.js';
import { GraphError } from './errors.js';
import { Graph, liveNodes } from './graph.js';
import { elementCount, type Shape } from './node.js';
import { resizeMatrix } from './operations/grid.js';
import { runReference } from './reference.js';

/** Applies an operation to inputs of the given shapes. */
function applyTo(op: string, shapes: readonly Shape[], attributes: object = {}): Shape {
  const graph = new Graph();
  const inputs = shapes.map((shape, i) => graph.input(`x${i}`, shape));
  return applyAny(graph, op, inputs, attributes).shape;
}

// biome-ignore format: a table
const refusals: readonly [op: string, shapes: readonly Shape[], attributes: object, message: string][] = [
  ['add', [[1, 2], [2, 1]], {}, 'add: shapes [1,2] and [2,1] differ'],
  ['mul', [[3], []], {}, 'mul: shapes [3] and [] differ'],
  ['scale', [[3], [3]], {}, 'scale: the factor is [3], expected []'],
  ['reluGradient', [[3], [4]], {}, 'reluGradient: shapes [3] and [4] differ'],
  ['addChannel', [[1, 2, 3, 3, 3], [3]], {}, 'addChannel: the bias is [3], expected [2]'],
  ['channelVariance', [[1, 2, 3, 3, 3], [3]], {}, 'channelVariance: the mean is [3], expected [2]'],
  ['channelSumProduct', [[1, 2, 3, 3, 3], [1, 2, 3, 3, 4]], {}, 'shapes [1,2,3,3,3] and [1,2,3,3,4] differ'],
  ['batchNorm', [[1, 2, 3, 3, 3], [2], [2], [2], [3]], { epsilon: 1e-3, training: true }, 'batchNorm: a per-channel input is [3], expected [2]'],
  ['concat', [[1, 2, 3, 3, 3], [1, 2, 3, 3, 4]], {}, '[1,2,3,3,3] and [1,2,3,3,4] differ beside the channels'],
  ['concat', [[1, 2, 3, 3, 3], [2, 2, 3, 3, 3]], {}, '[1,2,3,3,3] and [2,2,3,3,3] differ beside the channels'],
  ['sliceChannels', [[1, 2, 3, 3, 3]], { start: 1, end: 3 }, 'sliceChannels: channels 1…3 of [1,2,3,3,3]'],
  ['sliceChannels', [[1, 2, 3, 3, 3]], { start: 1, end: 1 }, 'sliceChannels: channels 1…1 of [1,2,3,3,3]'],
  ['conv3d', [[1, 2, 3, 3], [4, 2, 3, 3, 3]], { stride: 1 }, 'conv3d: expected [N, C, D, H, W], got [1,2,3,3]'],
  ['conv3d', [[1, 2, 3, 3, 3], [4, 3, 3, 3, 3]], { stride: 1 }, 'the image has 2 channels, the weights want 3'],
  ['conv3d', [[1, 2, 3, 3, 3], [4, 2, 2, 2, 2]], { stride: 1 }, 'kernel [2,2,2] with stride 1: use odd kernels'],
  ['conv3d', [[1, 2, 6, 6, 6], [4, 2, 3, 3, 3]], { stride: 2 }, 'kernel [3,3,3] with stride 2: use odd kernels'],
  ['conv3d', [[1, 2, 4, 4, 5], [4, 2, 2, 2, 2]], { stride: 2 }, 'grid [4,4,5] is not a multiple of the stride 2'],
  ['convTranspose3d', [[1, 2, 3, 3, 3], [3, 2, 2, 2, 2]], {}, 'the image has 2 channels, the weights want 3'],
  ['convTranspose3d', [[1, 2, 3, 3, 3], [2, 3, 2, 2, 1]], {}, 'kernel [2,2,1]'],
  ['convTranspose3d', [[1, 2, 3, 3, 3], [2, 3, 1, 3, 3]], {}, 'kernel [1,3,3]'],
  ['maxPool', [[1, 2, 4, 4, 5]], {}, 'maxPool: grid [4,4,5] is not even'],
  ['maxPool', [[1, 4, 4, 4]], {}, 'maxPool: expected [N, C, D, H, W], got [1,4,4,4]'],
  ['resize', [[4, 4, 4]], { factor: 2, mode: 'nearest' }, 'resize: expected [N, C, D, H, W], got [4,4,4]'],
  ['logSoftmaxGradient', [[1, 2, 3], [1, 3, 3]], {}, 'logSoftmaxGradient: shapes [1,2,3] and [1,3,3] differ'],
  ['spatialSumProduct', [[1, 2, 3], [1, 3, 3]], {}, 'spatialSumProduct: shapes [1,2,3] and [1,3,3] differ'],
  ['spatialScale', [[2, 3, 4, 4, 4], [3]], {}, 'spatialScale: the factor is [3], expected [2,3]'],
  ['conv3dInputGradient', [[1, 2, 3, 3, 3], [3, 2, 1, 1, 1]], {}, 'dy has 2 channels, the weights make 3'],
  ['channelCombine', [[1, 2, 3], [1, 2, 3], [2], [3], [2]], {}, 'channelCombine: a factor is [3], expected [2]'],
  ['resizeGradient', [[1, 2, 4, 4, 5]], { factor: 2, mode: 'nearest' }, 'grid [4,4,5] is not a multiple of the factor 2'],
  ['maxPoolGradient', [[1, 2, 2, 2, 2], [1, 2, 2, 2, 2], [1, 2, 4, 4, 2]], {}, 'dy is [1,2,2,2,2], expected [1,2,2,2,1]'],
];

describe('shape errors', () => {
  it.each(refusals)('%s of %j %j', (op, shapes, attributes, message) => {
    expect(() => applyTo(op, shapes, attributes)).toThrow(GraphError);
    expect(() => applyTo(op, shapes, attributes)).toThrow(message);
  });

  it('names the operation and a code', () => {
    try {
      applyTo('add', [[1], [2]]);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ name: 'GraphError', code: 'graph', op: 'add' });
    }
  });

  it('leaves the graph as it was', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    expect(() => graph.apply('add', [x, graph.constant(1)])).toThrow('shapes [2] and [] differ');
    expect(graph.nodes.map(({ op }) => op)).toEqual(['input', 'constant']);
  });
});

describe('shapes', () => {
  it.each([
    [
      'conv3d',
      [
        [2, 3, 5, 4, 7],
        [6, 3, 3, 1, 5],
      ],
      { stride: 1 },
      [2, 6, 5, 4, 7],
    ],
    [
      'conv3d',
      [
        [1, 3, 4, 6, 8],
        [6, 3, 2, 2, 2],
      ],
      { stride: 2 },
      [1, 6, 2, 3, 4],
    ],
    [
      'convTranspose3d',
      [
        [1, 3, 4, 6, 8],
        [3, 5, 2, 2, 2],
      ],
      {},
      [1, 5, 8, 12, 16],
    ],
    [
      'conv3dWeightGradient',
      [
        [2, 3, 5, 4, 7],
        [2, 6, 5, 4, 7],
      ],
      { kernel: [3, 3, 3], stride: 1 },
      [6, 3, 3, 3, 3],
    ],
    ['resize', [[1, 2, 3, 4, 5]], { factor: 4, mode: 'nearest' }, [1, 2, 12, 16, 20]],
    ['oneHot', [[2, 3, 4, 5]], { classes: 6 }, [2, 6, 3, 4, 5]],
    [
      'concat',
      [
        [2, 1, 3, 4, 5],
        [2, 4, 3, 4, 5],
      ],
      {},
      [2, 5, 3, 4, 5],
    ],
    ['spatialSum', [[2, 3, 4, 5, 6]], {}, [2, 3]],
    ['channelSum', [[2, 3, 4, 5, 6]], {}, [3]],
    ['sum', [[2, 3]], {}, []],
  ] as const)('%s of %j %j is %j', (op, shapes, attributes, shape) => {
    expect(applyTo(op, shapes, attributes)).toEqual(shape);
  });

  it('an element count is the product of the sizes', () => {
    expect(elementCount([])).toBe(1);
    expect(elementCount([2, 3, 4])).toBe(24);
  });
});

describe('names', () => {
  it('refuses a name that an input or a variable has', () => {
    const graph = new Graph();
    graph.input('x', [1]);
    graph.variable('w', [1], { kind: 'constant', value: 0 });
    for (const name of ['x', 'w']) {
      expect(() => graph.input(name, [1])).toThrow(`the name ${name} is taken`);
      expect(() => graph.variable(name, [1], { kind: 'constant', value: 0 })).toThrow(`the name ${name} is taken`);
      expect(() => graph.output(name, graph.constant(1))).toThrow(`the name ${name} is taken`);
    }
    expect(graph.nodes.filter(({ name }) => name !== undefined)).toHaveLength(2);
  });

  it('refuses a second output of a name, and an input of the name of an output', () => {
    const graph = new Graph();
    graph.output('y', graph.constant(1));
    expect(() => graph.output('y', graph.constant(2))).toThrow('the name y is taken');
    expect(() => graph.input('y', [1])).toThrow('the name y is taken');
  });
});

describe('assign', () => {
  it('refuses targets that are not variables and values of another shape', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    const w = graph.variable('w', [2, 1], { kind: 'constant', value: 0 });
    expect(() => graph.assign(x, x)).toThrow('assign: the target is not a variable');
    expect(() => graph.assign(w, x)).toThrow('assign: w is [2,1], the value is [2]');
    expect(graph.assignments.size).toBe(0);
  });
});

describe('liveNodes', () => {
  it('keeps what outputs and assignments need, in an order that can be executed', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    const unused = graph.input('unused', [2]);
    graph.apply('relu', [unused]);
    const w = graph.variable('w', [2], { kind: 'constant', value: 0 });
    const y = graph.apply('add', [x, w]);
    graph.apply('exp', [y]);
    const next = graph.apply('affine', [w], { scale: 2, offset: 0 });
    graph.output('y', y);
    graph.assign(w, next);
    expect(liveNodes(graph)).toEqual([x, w, y, next]);
  });
});

describe('reference', () => {
  it('gives outputs, and the assigned variables under their names', () => {
    const graph = new Graph();
    const x = graph.input('x', [2]);
    const w = graph.variable('w', [2], { kind: 'constant', value: 0 });
    graph.output('y', graph.apply('mul', [x, w]));
    graph.assign(w, graph.apply('add', [x, w]));
    const results = runReference(
      graph,
      new Map([
        ['x', [2, 3]],
        ['w', [5, 7]],
      ]),
    );
    expect([...(results.get('y')?.data ?? [])]).toEqual([10, 21]);
    expect([...(results.get('w')?.data ?? [])]).toEqual([7, 10]);
  });

  it('says which value is missing', () => {
    const graph = new Graph();
    graph.output('y', graph.apply('relu', [graph.input('x', [2])]));
    expect(() => runReference(graph, new Map())).toThrow('no value for x');
  });
});

// The reference and the runtimes share this matrix, so it needs numbers of its own.
describe('resizeMatrix', () => {
  it('has half-pixel centres and clamped edges', () => {
    expect([...resizeMatrix(2, 2, 'trilinear')]).toEqual([1, 0, 0.75, 0.25, 0.25, 0.75, 0, 1]);
    expect([...resizeMatrix(2, 4, 'trilinear')].filter((_, i) => i % 2 === 1)).toEqual([
      0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1,
    ]);
    expect([...resizeMatrix(2, 2, 'nearest')]).toEqual([1, 0, 1, 0, 0, 1, 0, 1]);
    expect([...resizeMatrix(1, 2, 'trilinear')]).toEqual([1, 1]);
  });
});
