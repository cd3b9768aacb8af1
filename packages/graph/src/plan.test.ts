/** Bytes counted by hand. The grids are 2×2×2 float32, so one channel is 32 bytes. */
import { describe, expect, it } from 'vitest';
import { differentiate } from './differentiate.js';
import { Graph } from './graph.js';
import type { GraphNode } from './node.js';
import { bytesOf, plan } from './plan.js';

const channel = 32;

function image(graph: Graph, name: string, channels = 1): GraphNode {
  return graph.input(name, [1, channels, 2, 2, 2]);
}

describe('peak bytes', () => {
  it('an elementwise chain stays in one buffer', () => {
    const graph = new Graph();
    const y = graph.apply('exp', [graph.apply('relu', [image(graph, 'x')])]);
    graph.output('y', graph.apply('affine', [y], { scale: 2, offset: 1 }));
    expect(plan(graph).peakBytes).toBe(channel);
  });

  it('a tensor that is read later keeps its buffer', () => {
    const graph = new Graph();
    const x = image(graph, 'x');
    const y = graph.apply('exp', [graph.apply('relu', [x])]);
    graph.output('y', graph.apply('add', [x, y]));
    expect(plan(graph).peakBytes).toBe(2 * channel);
  });

  it('an output keeps its buffer to the end', () => {
    const graph = new Graph();
    const a = graph.apply('relu', [image(graph, 'x')]);
    const b = graph.apply('exp', [a]);
    graph.output('a', a);
    graph.output('c', graph.apply('sqrt', [b]));
    expect(plan(graph).peakBytes).toBe(2 * channel);
  });

  it('a convolution has its input and its output, weights are counted with the variables', () => {
    const graph = new Graph();
    const w = graph.variable('w', [3, 1, 1, 1, 1], { kind: 'constant', value: 0 });
    const y = graph.apply('relu', [graph.apply('conv3d', [image(graph, 'x'), w], { stride: 1 })]);
    graph.output('y', graph.apply('maxPool', [y]));
    // x 32 + conv 96 = 128; relu in place 96; pool 96 + 3 voxels of 4 bytes = 108.
    expect(plan(graph)).toMatchObject({ peakBytes: 128, variableBytes: 12 });
  });

  it('a skip connection is held across the deeper level', () => {
    const graph = new Graph();
    const weights = graph.variable('w', [4, 2, 1, 1, 1], { kind: 'constant', value: 0 });
    const skip = image(graph, 'x', 2);
    const low = graph.apply('conv3d', [graph.apply('maxPool', [skip]), weights], { stride: 1 });
    const up = graph.apply('resize', [low], { factor: 2, mode: 'nearest' });
    graph.output('y', graph.apply('concat', [skip, up]));
    // At the concatenation: skip 64 + up 128 + result 192.
    expect(plan(graph).peakBytes).toBe(384);
  });

  it('both dying inputs of an addition leave one buffer', () => {
    const graph = new Graph();
    const sum = graph.apply('add', [image(graph, 'a'), image(graph, 'b')]);
    graph.output('y', graph.apply('concat', [sum, graph.apply('exp', [sum])]));
    // a + b 64, sum 32, exp 32 + 32, concat 64 + 64.
    expect(plan(graph).peakBytes).toBe(4 * channel);
  });

  it('an input read twice by one node dies once', () => {
    const graph = new Graph();
    const x = image(graph, 'x');
    graph.output('y', graph.apply('concat', [graph.apply('mul', [x, x]), image(graph, 'z')]));
    // x² in place 32, z 32, concat 64.
    expect(plan(graph).peakBytes).toBe(4 * channel);
  });

  it('a smaller buffer cannot be taken over', () => {
    const graph = new Graph();
    const bias = graph.input('bias', [2]);
    const x = graph.variable('x', [1, 2, 2, 2, 2], { kind: 'constant', value: 0 });
    graph.output('y', graph.apply('addChannel', [x, bias]));
    expect(plan(graph).peakBytes).toBe(8 + 64);
  });

  it('the buffer of a variable is not taken over', () => {
    const graph = new Graph();
    const w = graph.variable('w', [8], { kind: 'constant', value: 0 });
    graph.assign(w, graph.apply('affine', [w], { scale: 0.5, offset: 0 }));
    expect(plan(graph)).toMatchObject({ peakBytes: 32, variableBytes: 32 });
  });

  it('a label is one byte', () => {
    const graph = new Graph();
    const labels = graph.input('labels', [1, 4, 4, 4], 'uint8');
    expect(bytesOf(labels)).toBe(64);
    graph.output('y', graph.apply('oneHot', [labels], { classes: 2 }));
    expect(plan(graph).peakBytes).toBe(64 + 512);
  });

  it('nodes that nothing needs cost nothing', () => {
    const graph = new Graph();
    const x = image(graph, 'x');
    graph.apply('conv3d', [x, graph.constant(1, [100, 1, 1, 1, 1])], { stride: 1 });
    graph.output('y', graph.apply('relu', [x]));
    expect(plan(graph).peakBytes).toBe(channel);
  });

  it('training holds what the gradients read', () => {
    const graph = new Graph();
    const w = graph.variable('w', [1, 1, 2, 2, 2], { kind: 'constant', value: 1 });
    let y = graph.apply('mul', [image(graph, 'x'), w]);
    for (let i = 0; i < 3; i++) y = graph.apply('exp', [y]);
    const forward = new Graph();
    let z = image(forward, 'x');
    for (let i = 0; i < 3; i++) z = forward.apply('exp', [z]);
    forward.output('loss', forward.apply('sum', [z]));
    // exp in place; the sum is 4 bytes beside.
    expect(plan(forward).peakBytes).toBe(channel + 4);
    const loss = graph.apply('sum', [y]);
    graph.output('gradient', differentiate(graph, loss, [w])[0]);
    // x for the product, three exponentials, the constant 1 (4 bytes), the ones of the sum.
    expect(plan(graph).peakBytes).toBe(5 * channel + 4);
  });
});

describe('order and deaths', () => {
  it('a tensor that its last reader reads twice dies once', () => {
    const graph = new Graph();
    const x = image(graph, 'x');
    graph.output('y', graph.apply('mul', [x, x]));
    expect(plan(graph).dies).toEqual([[], [x.id]]);
  });

  it('lists each node once and each tensor at its last reader', () => {
    const graph = new Graph();
    const x = image(graph, 'x');
    const a = graph.apply('relu', [x]);
    const b = graph.apply('add', [x, a]);
    graph.output('b', b);
    const { order, dies } = plan(graph);
    expect(order).toEqual([x, a, b]);
    expect(dies).toEqual([[], [], [x.id, a.id]]);
  });
});
