import { describe, expect, it } from 'vitest';
import { graphProblem } from './check-graph.js';
import { encodeModel, type OnnxModel, type OnnxNode } from './proto.js';

const value = { name: 'x', type: 'float32', shape: [1] } as const;

function problemOf(nodes: readonly OnnxNode[]): string | undefined {
  const initializers = [{ name: 'w', type: 'float32', shape: [1], bytes: new Uint8Array(4) }] as const;
  const graph: OnnxModel['graph'] = { name: 'g', nodes, inputs: [value], outputs: [value], initializers };
  return graphProblem(encodeModel({ opset: 17, graph }));
}

const add = (inputs: readonly string[], output: string): OnnxNode => ({ op: 'Add', inputs, outputs: [output] });

describe('graphProblem', () => {
  it('takes values that are made before they are used, inputs, weights and left-out inputs', () => {
    expect(problemOf([add(['x', 'w'], 'a'), add(['a', ''], 'b'), add(['b', 'a'], 'y')])).toBeUndefined();
    expect(problemOf([])).toBeUndefined();
  });

  it('names what is wrong with the rest', () => {
    expect(problemOf([add(['x', 'b'], 'a'), add(['a', 'x'], 'b')])).toMatch(/node 0 uses 'b', which nothing before it/);
    expect(problemOf([add(['a', 'x'], 'a')])).toMatch(/node 0 uses 'a'/);
    expect(problemOf([add(['x', 'x'], 'a'), add(['x', 'x'], 'a')])).toMatch(/node 1 makes 'a', which there is already/);
    expect(problemOf([add(['x', 'x'], 'w')])).toMatch(/makes 'w'/);
    expect(problemOf(Array.from({ length: 100_001 }, () => add([], '')))).toMatch(/more than 100000 nodes/);
  });

  it('throws a RangeError for bytes that are no protobuf', () => {
    expect(() => graphProblem(Uint8Array.of(0x3a, 0x7f, 1))).toThrow(RangeError);
  });
});
