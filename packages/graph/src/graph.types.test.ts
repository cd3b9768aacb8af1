/**
 * What the compiler refuses: every `@ts-expect-error` fails the build where that line compiles. At run time, for
 * JavaScript, the same calls throw a GraphError.
 */
import { describe, expect, expectTypeOf, it } from 'vitest';
import { applyAny } from './apply-any.test.kit.js';
import { GraphError } from './errors.js';
import { Graph } from './graph.js';
import type { ConstantNode, GraphNode, OperationNode } from './node.js';
import type { Operation } from './operations/operation.js';
import { type AttributesOf, type InputsOf, type OperationName, operationNames } from './operations/specs.js';

const graph = new Graph();
const x = graph.input('x', [1, 2, 4, 4, 4]);
const w = graph.variable('w', [3, 2, 3, 3, 3], { kind: 'constant', value: 0 });

describe('apply', () => {
  it('takes what an operation has', () => {
    expectTypeOf<InputsOf<'conv3d', number>>().toEqualTypeOf<readonly [number, number]>();
    expectTypeOf<InputsOf<'concat', number>>().toEqualTypeOf<readonly number[]>();
    expectTypeOf<AttributesOf<'conv3d'>>().toEqualTypeOf<{ readonly stride: number }>();
    expectTypeOf<AttributesOf<'resize'>['mode']>().toEqualTypeOf<'trilinear' | 'nearest'>();
    expect(graph.apply('conv3d', [x, w], { stride: 1 }).shape).toEqual([1, 3, 4, 4, 4]);
    expect(graph.apply('concat', [x, x, x]).shape).toEqual([1, 6, 4, 4, 4]);
    expect(graph.apply('relu', [x]).shape).toEqual(x.shape);
  });

  it('refuses an operation that is misspelt', () => {
    // @ts-expect-error there is no such operation
    expect(() => graph.apply('convd', [x, w], { stride: 1 })).toThrow('convd: there is no such operation');
    expect(() => applyAny(graph, 'toString', [x])).toThrow('toString: there is no such operation');
  });

  it('refuses another number of inputs', () => {
    // @ts-expect-error an input is missing
    expect(() => graph.apply('conv3d', [x], { stride: 1 })).toThrow('expected 2 inputs (image, weights), got 1');
    // @ts-expect-error one input too many
    expect(() => graph.apply('relu', [x, x])).toThrow('relu: expected 1 input (x), got 2');
    expect(() => graph.apply('concat', [])).toThrow('concat: expected at least one input, got none');
  });

  it('refuses attributes that are misspelt, missing or of another kind', () => {
    // @ts-expect-error misspelt
    expect(() => graph.apply('conv3d', [x, w], { strides: 1 })).toThrow(
      'conv3d: there is no attribute strides; the attributes are: stride',
    );
    // @ts-expect-error missing
    expect(() => graph.apply('conv3d', [x, w])).toThrow('the attribute stride is missing, expected a whole number');
    // @ts-expect-error one of two is missing
    expect(() => graph.apply('affine', [x], { scale: 1 })).toThrow('the attribute offset is missing');
    // @ts-expect-error text, not a number
    expect(() => graph.apply('conv3d', [x, w], { stride: '1' })).toThrow('the attribute stride is "1"');
    // @ts-expect-error no such mode
    expect(() => graph.apply('resize', [x], { factor: 2, mode: 'cubic' })).toThrow(
      'resize: the attribute mode is "cubic", expected trilinear or nearest',
    );
    // @ts-expect-error this operation has no attributes
    expect(() => graph.apply('relu', [x], { slope: 0.1 })).toThrow(
      'there is no attribute slope; the attributes are: none',
    );
    expect(() => graph.apply('affine', [x], { scale: Number.NaN, offset: 0 })).toThrow('the attribute scale is NaN');
    expect(() => graph.apply('conv3d', [x, w], { stride: 1.5 })).toThrow('the attribute stride is 1.5');
  });

  it('refuses inputs that are no nodes of its graph', () => {
    const other = new Graph().input('x', [1, 2, 4, 4, 4]);
    const attempts = [other, undefined, {}].map((input) => () => applyAny(graph, 'relu', [input]));
    for (const attempt of attempts) {
      expect(attempt).toThrow(GraphError);
      expect(attempt).toThrow('relu: an input is not a node of this graph');
    }
  });

  it('leaves a graph as it was when it refuses', () => {
    const before = graph.nodes.length;
    expect(() => applyAny(graph, 'conv3d', [x, w])).toThrow(GraphError);
    expect(graph.nodes).toHaveLength(before);
  });
});

describe('nodes', () => {
  it('are told apart by op', () => {
    const node = graph.apply('affine', [x], { scale: 2, offset: 1 });
    if (node.op !== 'affine') expect.unreachable();
    expectTypeOf(node.attributes).toEqualTypeOf<{ readonly scale: number; readonly offset: number }>();
    expectTypeOf(node.inputs).toEqualTypeOf<readonly [GraphNode]>();
    expect(node.attributes).toEqual({ scale: 2, offset: 1 });
    const constant = graph.constant(3);
    if (constant.op !== 'constant') expect.unreachable();
    expectTypeOf(constant).toEqualTypeOf<ConstantNode>();
    expect(constant.attributes.value).toBe(3);
    // @ts-expect-error attributes differ from operation to operation, so the operation has to be known first
    expect(x.attributes.stride).toBeUndefined();
  });

  it('are one kind for each operation', () => {
    type OfOperation = Extract<GraphNode, { op: OperationName }>;
    expectTypeOf<OfOperation['op']>().toEqualTypeOf<OperationName>();
    expectTypeOf<OperationNode<'conv3d'>>().toExtend<GraphNode>();
    expect(new Set(operationNames).size).toBe(38);
  });
});

describe('rules', () => {
  it('are one for each operation, with its own inputs and attributes', () => {
    type Rules = { readonly [Op in OperationName]: Operation<Op> };
    const none = {};
    // @ts-expect-error every rule is missing
    const rules: Rules = none;
    expect(rules).toBe(none);
    // @ts-expect-error a rule of scale gives a gradient for each of its two inputs
    const short: Operation<'scale'>['gradient'] = () => ['none'];
    expect(short).toBeTypeOf('function');
  });
});
