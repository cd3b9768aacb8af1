/** The case tables of matrix.test.ts: small odd shapes that reach every branch of the lowering rules. */
import type { AttributesOf, Graph, GraphNode, OperationName, Shape } from '@quickcolumn/graph';

export interface Source {
  readonly shape: Shape;
  /** −1 to 1, 0.5 to 1.5, a few equal values, or class indices with some 255 between them. */
  readonly kind: 'signed' | 'positive' | 'ties' | 'labels';
  readonly classes?: number;
}

export interface Case<Op extends OperationName = OperationName> {
  readonly note?: string;
  readonly sources: readonly Source[];
  readonly attributes?: AttributesOf<Op>;
  /** Makes the outputs, default: the operation applied to the sources. */
  readonly build?: (graph: Graph, nodes: readonly GraphNode[]) => GraphNode | readonly GraphNode[];
}

const signed = (...shape: number[]): Source => ({ shape, kind: 'signed' });
const positive = (...shape: number[]): Source => ({ shape, kind: 'positive' });
const ties = (...shape: number[]): Source => ({ shape, kind: 'ties' });
const labels = (classes: number, ...shape: number[]): Source => ({ shape, kind: 'labels', classes });

/** Two images of one shape, with one sample and with two; a vector and a scalar. */
const unary = <Op extends OperationName>(
  make: (...shape: number[]) => Source,
  attributes?: AttributesOf<Op>,
): Case<Op>[] => [
  { sources: [make(1, 3, 3, 5, 7)], attributes },
  { sources: [make(2, 1, 1, 2, 9)], attributes },
  { sources: [make(11)], attributes },
  { sources: [make()], attributes },
];
const binary = <Op extends OperationName>(second: (...shape: number[]) => Source = signed): Case<Op>[] => [
  { sources: [signed(1, 3, 3, 5, 7), second(1, 3, 3, 5, 7)] },
  { sources: [signed(2, 1, 1, 2, 9), second(2, 1, 1, 2, 9)] },
  { sources: [signed(11), second(11)] },
  { sources: [signed(), second()] },
];

/** [samples, in, out, grid, kernel] of stride-1 convolutions; in ≤ out and in > out, kernels 1, 3, 5 and mixed. */
const convolutions: readonly (readonly [n: number, i: number, o: number, grid: Shape, kernel: Shape])[] = [
  [1, 1, 1, [3, 4, 5], [3, 3, 3]],
  [2, 2, 5, [3, 5, 7], [3, 3, 3]],
  [1, 5, 2, [4, 3, 6], [3, 3, 3]],
  [2, 7, 3, [1, 2, 3], [3, 3, 3]],
  [2, 3, 3, [2, 1, 1], [3, 3, 3]],
  [1, 3, 4, [3, 4, 5], [1, 1, 1]],
  [2, 4, 3, [1, 5, 2], [1, 1, 1]],
  [1, 2, 3, [5, 6, 7], [5, 5, 5]],
  [2, 3, 1, [3, 5, 6], [5, 5, 5]],
  [2, 2, 3, [3, 4, 5], [1, 3, 3]],
  [1, 3, 2, [4, 3, 5], [3, 1, 5]],
  // Channels as networks have them: the ones that bfloat16 is used for.
  [2, 8, 16, [3, 5, 6], [3, 3, 3]],
  [1, 1, 16, [4, 3, 6], [3, 3, 3]],
  [2, 12, 8, [3, 4, 5], [1, 1, 1]],
  [1, 16, 4, [2, 6, 5], [1, 1, 1]],
  [1, 16, 32, [4, 4, 3], [1, 3, 3]],
];
const convName = (i: number, o: number, kernel: Shape): string => `${i} → ${o} channels, kernel ${kernel.join('×')},`;

/** Coarse grids of the stride = kernel convolutions. */
const stridings: readonly (readonly [n: number, i: number, o: number, coarse: Shape, s: number])[] = [
  [1, 2, 3, [2, 3, 1], 2],
  [2, 3, 2, [1, 2, 3], 2],
  [2, 1, 4, [3, 1, 2], 2],
  [1, 2, 2, [1, 2, 1], 3],
  [2, 16, 8, [2, 3, 2], 2],
];
const fine = (coarse: Shape, s: number): number[] => coarse.map((size) => size * s);

// biome-ignore format: shapes in a row
const resizes = ([2, 4, 8] as const).flatMap((factor) =>
  (['trilinear', 'nearest'] as const).flatMap((mode) =>
    ([[1, 2, 3, 2, 1], [2, 1, 1, 4, 3]] as const).map((shape) => ({ shape, attributes: { factor, mode } })),
  ),
);

const perChannel = (n: number, c: number, ...grid: number[]): Source[] => [signed(n, c, ...grid), signed(c)];

const norm = (n: number, c: number, grid: Shape, training: boolean): Case<'batchNorm'> => ({
  sources: [signed(n, c, ...grid), signed(c), positive(c), signed(c), signed(c)],
  attributes: { epsilon: 1e-5, training },
});

export const cases: { readonly [Op in OperationName]: readonly Case<Op>[] } = {
  add: binary(),
  sub: binary(),
  mul: binary(),
  div: binary(positive),
  affine: [
    ...unary(signed, { scale: -2.5, offset: 0.75 }),
    ...unary(signed, { scale: 3, offset: 0 }),
    ...unary(signed, { scale: 1, offset: 2 }),
    ...unary(signed, { scale: 1, offset: 0 }),
  ],
  scale: [
    { sources: [signed(1, 2, 3, 1, 5), positive()] },
    { sources: [signed(2, 2, 1, 3, 5), positive()] },
    { sources: [signed(7), positive()] },
  ],
  relu: unary((...shape) => (shape.length === 0 ? positive() : signed(...shape))),
  reluGradient: [
    { sources: [signed(1, 2, 3, 1, 5), signed(1, 2, 3, 1, 5)] },
    { sources: [signed(2, 2, 1, 3, 5), ties(2, 2, 1, 3, 5)] },
    { sources: [signed(2, 3), signed(2, 3)] },
  ].map(({ sources }) => ({ sources, build: (g, [dy, x]) => g.apply('reluGradient', [dy, g.apply('relu', [x])]) })),
  leakyRelu: unary(signed, { slope: 0.2 }),
  leakyReluGradient: [
    { sources: [signed(1, 2, 3, 1, 5), signed(1, 2, 3, 1, 5)], attributes: { slope: 0.2 } },
    { sources: [signed(2, 2, 1, 3, 5), ties(2, 2, 1, 3, 5)], attributes: { slope: 0.01 } },
  ],
  sigmoid: unary(signed),
  exp: unary(signed),
  log: unary(positive),
  sqrt: unary(positive),
  conv3d: [
    ...convolutions.map(([n, i, o, grid, kernel]) => ({
      note: convName(i, o, kernel),
      sources: [signed(n, i, ...grid), signed(o, i, ...kernel)],
      attributes: { stride: 1 },
    })),
    ...stridings.map(([n, i, o, coarse, s]) => ({
      sources: [signed(n, i, ...fine(coarse, s)), signed(o, i, s, s, s)],
      attributes: { stride: s },
    })),
  ],
  conv3dInputGradient: convolutions.map(([n, i, o, grid, kernel]) => ({
    note: convName(i, o, kernel),
    sources: [signed(n, o, ...grid), signed(o, i, ...kernel)],
  })),
  conv3dWeightGradient: [
    ...convolutions.map(([n, i, o, grid, kernel]) => ({
      note: convName(i, o, kernel),
      sources: [signed(n, i, ...grid), signed(n, o, ...grid)],
      attributes: { kernel, stride: 1 },
    })),
    ...stridings.map(([n, i, o, coarse, s]) => ({
      sources: [signed(n, i, ...fine(coarse, s)), signed(n, o, ...coarse)],
      attributes: { kernel: [s, s, s], stride: s },
    })),
    // The stack of 9 shifts of one plane is 9·min(in, out)·N·H·W·4 bytes; 4 MiB of them are one turn of the Loop.
    ...(
      [
        ['3 turns of 2 planes', 1, 2, 3, [6, 150, 151]],
        ['3 turns of 2 planes, in > out', 1, 3, 2, [6, 150, 151]],
        ['5 turns of 1 plane, prime depth, 2 samples', 2, 2, 2, [5, 131, 127]],
        ['2 turns of 3 planes, in > out, 2 samples', 2, 4, 1, [6, 128, 131]],
        ['planes of more than 4 MiB', 1, 3, 3, [2, 200, 211]],
      ] as const
    ).map(([note, n, i, o, grid]) => ({
      note,
      sources: [signed(n, i, ...grid), signed(n, o, ...grid)],
      attributes: { kernel: [3, 3, 3], stride: 1 },
    })),
  ],
  convTranspose3d: [
    ...stridings.map(([n, i, o, coarse, s]) => ({ sources: [signed(n, i, ...coarse), signed(i, o, s, s, s)] })),
    { sources: [signed(2, 3, 2, 1, 3), signed(3, 2, 1, 1, 1)] },
  ],
  addChannel: [{ sources: perChannel(1, 3, 2, 5, 3) }, { sources: perChannel(2, 4, 1, 3, 2) }],
  channelSum: [
    { sources: [signed(1, 3, 2, 5, 3)] },
    { sources: [signed(2, 1, 3, 3, 3)] },
    { sources: [signed(2, 5, 1, 3, 2)] },
  ],
  channelSumProduct: [
    { sources: [signed(1, 3, 2, 5, 3), signed(1, 3, 2, 5, 3)] },
    { sources: [signed(2, 1, 1, 3, 2), signed(2, 1, 1, 3, 2)] },
    { sources: [signed(2, 9, 1, 3, 2), signed(2, 9, 1, 3, 2)] },
  ],
  channelVariance: [
    { sources: perChannel(1, 3, 2, 5, 3) },
    { sources: perChannel(2, 4, 1, 3, 2) },
    { note: 'far from the mean', sources: perChannel(2, 1, 5, 7, 9) },
  ],
  batchNorm: [true, false].flatMap((training) => [norm(1, 3, [2, 5, 3], training), norm(2, 4, [1, 3, 2], training)]),
  channelCombine: [
    { sources: [signed(1, 3, 2, 5, 3), signed(1, 3, 2, 5, 3), signed(3), signed(3), signed(3)] },
    { sources: [signed(2, 4, 1, 3, 2), signed(2, 4, 1, 3, 2), signed(4), signed(4), signed(4)] },
  ],
  concat: [
    { sources: [signed(1, 3, 2, 5, 3), signed(1, 1, 2, 5, 3)] },
    { sources: [signed(2, 1, 1, 3, 2), signed(2, 4, 1, 3, 2), signed(2, 2, 1, 3, 2)] },
    { sources: [signed(2, 2, 1, 3, 2)], build: (g, [x]) => g.apply('concat', [x, x]) },
  ],
  sliceChannels: [
    { sources: [signed(1, 3, 2, 5, 3)], attributes: { start: 0, end: 1 } },
    { sources: [signed(2, 5, 1, 3, 2)], attributes: { start: 1, end: 4 } },
    { sources: [signed(2, 3, 1, 3, 2)], attributes: { start: 2, end: 3 } },
    { sources: [signed(2, 3, 1, 3, 2)], attributes: { start: 0, end: 3 } },
  ],
  maxPool: [{ sources: [signed(1, 3, 2, 6, 4)] }, { sources: [ties(2, 1, 4, 2, 2)] }],
  maxPoolGradient: [
    { sources: [signed(1, 3, 1, 3, 2), signed(1, 3, 2, 6, 4)] },
    { sources: [signed(2, 2, 2, 1, 3), signed(2, 2, 4, 2, 6)] },
    { note: 'ties', sources: [signed(1, 1, 2, 3, 4), ties(1, 1, 4, 6, 8)] },
    { note: 'ties', sources: [signed(2, 3, 1, 3, 5), ties(2, 3, 2, 6, 10)] },
  ].map(({ note, sources }) => ({
    note,
    sources,
    build: (g, [dy, x]) => g.apply('maxPoolGradient', [dy, g.apply('maxPool', [x]), x]),
  })),
  resize: resizes.map(({ shape, attributes }) => ({ sources: [signed(...shape)], attributes })),
  resizeGradient: resizes.map(({ shape: [n, c, ...coarse], attributes }) => ({
    sources: [signed(n, c, ...fine(coarse, attributes.factor))],
    attributes,
  })),
  logSoftmax: [
    { sources: [signed(1, 2, 3, 5, 1)] },
    { sources: [signed(2, 5, 1, 2, 3)] },
    {
      note: 'logits of ±200',
      sources: [signed(2, 3, 2, 2, 3)],
      build: (g, [x]) => g.apply('logSoftmax', [g.apply('affine', [x], { scale: 200, offset: 0 })]),
    },
  ],
  logSoftmaxGradient: [
    { sources: [signed(1, 2, 3, 5, 1), signed(1, 2, 3, 5, 1)] },
    { sources: [signed(2, 5, 1, 2, 3), signed(2, 5, 1, 2, 3)] },
  ],
  oneHot: [
    { sources: [labels(2, 1, 3, 5, 2)], attributes: { classes: 2 } },
    { sources: [labels(5, 2, 2, 1, 3)], attributes: { classes: 5 } },
  ],
  spatialSum: [
    { sources: [signed(2, 3, 1, 1, 1)] },
    { sources: [signed(1, 3, 2, 5, 3)] },
    { sources: [signed(2, 4, 1, 3, 2)] },
  ],
  spatialSumProduct: [
    { sources: [signed(1, 3, 2, 5, 3), signed(1, 3, 2, 5, 3)] },
    { sources: [signed(2, 4, 1, 3, 2), signed(2, 4, 1, 3, 2)] },
  ],
  spatialScale: [
    { sources: [signed(1, 3, 2, 5, 3), signed(1, 3)] },
    { sources: [signed(2, 4, 1, 3, 2), signed(2, 4)] },
  ],
  spatialExpand: [
    { sources: [signed(1, 3)], attributes: { grid: [2, 5, 3] } },
    { sources: [signed(2, 4)], attributes: { grid: [1, 3, 2] } },
  ],
  sum: [...unary(signed), { sources: [signed(2, 3)] }],
};

/** Where the lowering looks at more than one operation. */
export const composites: Readonly<Record<string, readonly Case[]>> = {
  'convolution with bias': [
    {
      note: 'fused',
      sources: [signed(2, 2, 3, 4, 5), signed(3, 2, 3, 3, 3), signed(3)],
      build: (g, [x, w, b]) => g.apply('addChannel', [g.apply('conv3d', [x, w], { stride: 1 }), b]),
    },
    {
      note: 'stride 2',
      sources: [signed(1, 2, 2, 4, 6), signed(3, 2, 2, 2, 2), signed(3)],
      build: (g, [x, w, b]) => g.apply('addChannel', [g.apply('conv3d', [x, w], { stride: 2 }), b]),
    },
    {
      note: 'transposed',
      sources: [signed(2, 2, 3, 1, 2), signed(2, 3, 2, 2, 2), signed(3)],
      build: (g, [x, w, b]) => g.apply('addChannel', [g.apply('convTranspose3d', [x, w]), b]),
    },
    {
      note: 'read by another node as well',
      sources: [signed(2, 2, 3, 4, 5), signed(3, 2, 1, 1, 1), signed(3)],
      build: (g, [x, w, b]) => {
        const y = g.apply('conv3d', [x, w], { stride: 1 });
        return g.apply('mul', [y, g.apply('addChannel', [y, b])]);
      },
    },
    {
      note: 'also an output itself',
      sources: [signed(2, 2, 3, 4, 5), signed(3, 2, 1, 1, 1), signed(3)],
      build: (g, [x, w, b]) => {
        const y = g.apply('conv3d', [x, w], { stride: 1 });
        return [y, g.apply('addChannel', [y, b])];
      },
    },
    {
      note: 'convolution of a convolution, one weight for both',
      sources: [signed(1, 2, 3, 4, 5), signed(2, 2, 3, 3, 3), signed(2)],
      build: (g, [x, w, b]) => {
        const layer = (image: GraphNode): GraphNode =>
          g.apply('addChannel', [g.apply('conv3d', [image, w], { stride: 1 }), b]);
        return layer(layer(x));
      },
    },
  ],
  'several outputs': [
    {
      note: 'an input, a constant and the same node twice',
      sources: [signed(2, 3)],
      build: (g, [x]) => {
        const y = g.apply('exp', [x]);
        return [x, g.constant(0.5, [2, 2]), g.constant(3), y, y];
      },
    },
  ],
};
