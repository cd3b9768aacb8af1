import { differentiate, elementCount, Graph, type GraphNode, runReference } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import type { Builder } from './builder.js';
import { instanceNorm } from './layers.js';

const wave = (length: number, seed: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898 + i * i * 0.713));

/** Value and gradients of Σ pattern·f(x), by the reference. */
function evaluate(
  shape: number[],
  x: Float64Array,
  f: (builder: Builder, x: GraphNode) => GraphNode,
): { y: Float64Array; dx: Float64Array; dGamma: Float64Array } {
  const graph = new Graph();
  const image = graph.input('image', shape);
  const y = f({ graph, training: true, path: '' }, image);
  graph.output('y', y);
  const pattern = graph.input('pattern', y.shape);
  const loss = graph.apply('sum', [graph.apply('mul', [y, pattern])]);
  const gamma = graph.variables.get('/gamma')?.node ?? image;
  const [dx, dGamma] = differentiate(graph, loss, [image, gamma]);
  graph.output('dx', dx);
  graph.output('dGamma', dGamma);
  const values = new Map<string, ArrayLike<number>>([
    ['image', x],
    ['pattern', wave(elementCount(y.shape), 3)],
  ]);
  for (const [name, { node }] of graph.variables) values.set(name, wave(elementCount(node.shape), 5));
  const results = runReference(graph, values);
  const data = (name: string): Float64Array => results.get(name)?.data ?? new Float64Array();
  return { y: data('y'), dx: data('dx'), dGamma: data('dGamma') };
}

describe('instance norm', () => {
  const one = [1, 3, 2, 4, 2];
  const voxels = 16;

  it('has mean β and standard deviation γ in every sample and channel', () => {
    const { y } = evaluate([2, 3, 2, 4, 2], wave(96, 1), instanceNorm);
    const parameters = wave(3, 5);
    for (let plane = 0; plane < 6; plane++) {
      const values = y.subarray(plane * voxels, (plane + 1) * voxels);
      const mean = values.reduce((sum, value) => sum + value, 0) / voxels;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / voxels;
      expect(mean).toBeCloseTo(parameters[plane % 3], 10);
      expect(Math.sqrt(variance)).toBeCloseTo(Math.abs(parameters[plane % 3]), 3);
    }
  });

  it('is the same for a sample alone, where it is one batch norm, gradients included', () => {
    const x = wave(48, 2);
    const alone = evaluate(one, x, instanceNorm);
    const twice = Float64Array.from([...x, ...x]);
    // The pattern of the second sample differs, so only the first half of dx can be compared.
    const both = evaluate([2, 3, 2, 4, 2], twice, instanceNorm);
    alone.y.forEach((value, i) => expect(both.y[i]).toBeCloseTo(value, 10));
    alone.dx.forEach((value, i) => expect(both.dx[i]).toBeCloseTo(value, 10));
  });
});
