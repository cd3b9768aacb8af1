/**
 * Elementwise operations on tensors of one shape, and `affine` (scale·x + offset with plain numbers).
 * `scale` multiplies a tensor by a scalar tensor (shape []), as the learning rate is.
 */
import type { GraphNode, NodeBuilder } from '../node.js';
import { expectShape, type Operation, sameShape } from './operation.js';

type Unary = 'relu' | 'sigmoid' | 'exp' | 'log' | 'sqrt';
type Binary = 'add' | 'sub' | 'mul' | 'div';

const negative = (g: NodeBuilder, x: GraphNode): GraphNode => g.apply('affine', [x], { scale: -1, offset: 0 });

function unary(f: (x: number) => number, gradient: Operation<Unary>['gradient']): Operation<Unary> {
  return { shape: ([x]) => x.shape, gradient, evaluate: ([x]) => x.data.map(f) };
}

function binary(
  op: Binary,
  f: (a: number, b: number) => number,
  gradient: Operation<Binary>['gradient'],
): Operation<Binary> {
  return {
    shape: ([a, b]) => sameShape(op, a, b),
    gradient,
    evaluate: ([a, b]) => a.data.map((value, i) => f(value, b.data[i])),
  };
}

export const add: Operation<'add'> = binary(
  'add',
  (a, b) => a + b,
  (_node, dy) => [() => dy, () => dy],
);

export const sub: Operation<'sub'> = binary(
  'sub',
  (a, b) => a - b,
  (_node, dy, g) => [() => dy, () => negative(g, dy)],
);

export const mul: Operation<'mul'> = binary(
  'mul',
  (a, b) => a * b,
  ({ inputs: [a, b] }, dy, g) => [() => g.apply('mul', [dy, b]), () => g.apply('mul', [dy, a])],
);

/** da = dy/b, db = −(dy/b)·y. */
export const div: Operation<'div'> = binary(
  'div',
  (a, b) => a / b,
  (node, dy, g) => {
    const da = g.apply('div', [dy, node.inputs[1]]);
    return [() => da, () => negative(g, g.apply('mul', [da, node]))];
  },
);

/** y = scale·x + offset, both plain numbers. */
export const affine: Operation<'affine'> = {
  shape: ([x]) => x.shape,
  gradient: ({ attributes: { scale } }, dy, g) => [() => g.apply('affine', [dy], { scale, offset: 0 })],
  evaluate: ([x], { scale, offset }) => x.data.map((value) => scale * value + offset),
};

/** y = x·s for a scalar tensor s; ds = Σ dy·x. */
export const scale: Operation<'scale'> = {
  shape: ([x, s]) => {
    expectShape('scale', 'the factor', s, []);
    return x.shape;
  },
  gradient: ({ inputs: [x, s] }, dy, g) => [
    () => g.apply('scale', [dy, s]),
    () => g.apply('sum', [g.apply('mul', [dy, x])]),
  ],
  evaluate: ([x, s]) => x.data.map((value) => value * s.data[0]),
};

export const relu: Operation<'relu'> = unary(
  (x) => Math.max(x, 0),
  (node, dy, g) => [() => g.apply('reluGradient', [dy, node])],
);

/** dy where y > 0, else 0. y is a mask: the result does not change with it. */
export const reluGradient: Operation<'reluGradient'> = {
  shape: ([dy, y]) => sameShape('reluGradient', dy, y),
  gradient: ({ inputs: [, y] }, d, g) => [() => g.apply('reluGradient', [d, y]), 'none'],
  evaluate: ([dy, y]) => dy.data.map((value, i) => (y.data[i] > 0 ? value : 0)),
};

export const leakyRelu: Operation<'leakyRelu'> = {
  shape: ([x]) => x.shape,
  gradient: (node, dy, g) => [() => g.apply('leakyReluGradient', [dy, node], node.attributes)],
  evaluate: ([x], { slope }) => x.data.map((value) => (value > 0 ? value : slope * value)),
};

/** dy where y > 0, else slope·dy. y is a mask, as in `reluGradient`. */
export const leakyReluGradient: Operation<'leakyReluGradient'> = {
  shape: ([dy, y]) => sameShape('leakyReluGradient', dy, y),
  gradient: ({ inputs: [, y], attributes }, d, g) => [() => g.apply('leakyReluGradient', [d, y], attributes), 'none'],
  evaluate: ([dy, y], { slope }) => dy.data.map((value, i) => (y.data[i] > 0 ? value : slope * value)),
};

/** dx = dy·y·(1 − y). */
export const sigmoid: Operation<'sigmoid'> = unary(
  (x) => 1 / (1 + Math.exp(-x)),
  (node, dy, g) => [
    () => g.apply('mul', [dy, g.apply('mul', [node, g.apply('affine', [node], { scale: -1, offset: 1 })])]),
  ],
);

export const exp: Operation<'exp'> = unary(Math.exp, (node, dy, g) => [() => g.apply('mul', [dy, node])]);

export const log: Operation<'log'> = unary(Math.log, ({ inputs: [x] }, dy, g) => [() => g.apply('div', [dy, x])]);

export const sqrt: Operation<'sqrt'> = unary(Math.sqrt, (node, dy, g) => [
  () => g.apply('affine', [g.apply('div', [dy, node])], { scale: 0.5, offset: 0 }),
]);
