/**
 * Elementwise operations on tensors of one shape, and `affine` (scale·x + offset with plain numbers).
 * `scale` multiplies a tensor by a scalar tensor (shape []), as the learning rate is.
 */

import { expectShape, type Operation, sameShape } from './operation.js';

function unary(name: string, f: (x: number) => number, gradient: NonNullable<Operation['gradient']>): Operation {
  return { name, shape: ([x]) => x.shape, gradient, evaluate: ([x]) => x.data.map(f) };
}

function binary(
  name: string,
  f: (a: number, b: number) => number,
  gradient: NonNullable<Operation['gradient']>,
): Operation {
  return {
    name,
    shape: ([a, b]) => sameShape(name, a, b),
    gradient,
    evaluate: ([a, b]) => a.data.map((value, i) => f(value, b.data[i])),
  };
}

export const add: Operation = binary(
  'add',
  (a, b) => a + b,
  (_node, dy) => [dy, dy],
);

export const sub: Operation = binary(
  'sub',
  (a, b) => a - b,
  (_node, dy, g) => [dy, g.apply('affine', [dy], { scale: -1, offset: 0 })],
);

export const mul: Operation = binary(
  'mul',
  (a, b) => a * b,
  (node, dy, g) => [g.apply('mul', [dy, node.inputs[1]]), g.apply('mul', [dy, node.inputs[0]])],
);

export const div: Operation = binary(
  'div',
  (a, b) => a / b,
  (node, dy, g) => {
    const da = g.apply('div', [dy, node.inputs[1]]);
    return [da, g.apply('affine', [g.apply('mul', [da, node])], { scale: -1, offset: 0 })];
  },
);

/** y = scale·x + offset, both plain numbers. */
export const affine: Operation = {
  name: 'affine',
  shape: ([x]) => x.shape,
  gradient: (node, dy, g) => [g.apply('affine', [dy], { scale: node.attributes.scale, offset: 0 })],
  evaluate: ([x], { scale, offset }) => x.data.map((value) => Number(scale) * value + Number(offset)),
};

/** y = x·s for a scalar tensor s (no gradient to s: it is a learning rate or a weight from outside). */
export const scale: Operation = {
  name: 'scale',
  shape: ([x, s]) => {
    expectShape('scale', 'the factor', s, []);
    return x.shape;
  },
  gradient: (node, dy, g) => [g.apply('scale', [dy, node.inputs[1]]), null],
  evaluate: ([x, s]) => x.data.map((value) => value * s.data[0]),
};

export const relu: Operation = unary(
  'relu',
  (x) => Math.max(x, 0),
  (node, dy, g) => [g.apply('reluGradient', [dy, node])],
);

/** dy where y > 0, else 0. */
export const reluGradient: Operation = {
  name: 'reluGradient',
  shape: ([dy, y]) => sameShape('reluGradient', dy, y),
  gradient: (node, d, g) => [g.apply('reluGradient', [d, node.inputs[1]]), null],
  evaluate: ([dy, y]) => dy.data.map((value, i) => (y.data[i] > 0 ? value : 0)),
};

export const leakyRelu: Operation = {
  name: 'leakyRelu',
  shape: ([x]) => x.shape,
  gradient: (node, dy, g) => [g.apply('leakyReluGradient', [dy, node], node.attributes)],
  evaluate: ([x], { slope }) => x.data.map((value) => (value > 0 ? value : Number(slope) * value)),
};

/** dy where y > 0, else slope·dy. */
export const leakyReluGradient: Operation = {
  name: 'leakyReluGradient',
  shape: ([dy, y]) => sameShape('leakyReluGradient', dy, y),
  gradient: (node, d, g) => [g.apply('leakyReluGradient', [d, node.inputs[1]], node.attributes), null],
  evaluate: ([dy, y], { slope }) => dy.data.map((value, i) => (y.data[i] > 0 ? value : Number(slope) * value)),
};

export const sigmoid: Operation = unary(
  'sigmoid',
  (x) => 1 / (1 + Math.exp(-x)),
  (node, dy, g) => [g.apply('mul', [dy, g.apply('mul', [node, g.apply('affine', [node], { scale: -1, offset: 1 })])])],
);

export const exp: Operation = unary('exp', Math.exp, (node, dy, g) => [g.apply('mul', [dy, node])]);

export const log: Operation = unary('log', Math.log, (node, dy, g) => [g.apply('div', [dy, node.inputs[0]])]);

export const sqrt: Operation = unary('sqrt', Math.sqrt, (node, dy, g) => [
  g.apply('affine', [g.apply('div', [dy, node])], { scale: 0.5, offset: 0 }),
]);
