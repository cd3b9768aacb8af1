/**
 * Every operation: the names of its inputs and its attributes. This table is the only list of operations; the types of
 * `Graph.apply`, of the rules here and of the rules in the runtimes come from it, so a missing rule, a misspelt
 * attribute or a wrong number of inputs fails in the compiler. What an operation computes stands at its rules.
 */

/** The names of the inputs in order, or any number of one kind. */
type InputNames = readonly string[] | 'variadic';

/** What an attribute may be; a list of names is one of them. */
type AttributeKind = 'number' | 'integer' | 'boolean' | 'integers' | readonly string[];

export interface OperationSpec {
  readonly inputs: InputNames;
  readonly attributes: Readonly<Record<string, AttributeKind>>;
}

export const operationSpecs = {
  add: { inputs: ['a', 'b'], attributes: {} },
  sub: { inputs: ['a', 'b'], attributes: {} },
  mul: { inputs: ['a', 'b'], attributes: {} },
  div: { inputs: ['a', 'b'], attributes: {} },
  affine: { inputs: ['x'], attributes: { scale: 'number', offset: 'number' } },
  scale: { inputs: ['x', 'factor'], attributes: {} },
  relu: { inputs: ['x'], attributes: {} },
  reluGradient: { inputs: ['dy', 'y'], attributes: {} },
  leakyRelu: { inputs: ['x'], attributes: { slope: 'number' } },
  leakyReluGradient: { inputs: ['dy', 'y'], attributes: { slope: 'number' } },
  sigmoid: { inputs: ['x'], attributes: {} },
  exp: { inputs: ['x'], attributes: {} },
  log: { inputs: ['x'], attributes: {} },
  sqrt: { inputs: ['x'], attributes: {} },

  conv3d: { inputs: ['image', 'weights'], attributes: { stride: 'integer' } },
  conv3dInputGradient: { inputs: ['dy', 'weights'], attributes: {} },
  conv3dWeightGradient: { inputs: ['image', 'dy'], attributes: { kernel: 'integers', stride: 'integer' } },
  convTranspose3d: { inputs: ['image', 'weights'], attributes: {} },

  addChannel: { inputs: ['image', 'bias'], attributes: {} },
  channelSum: { inputs: ['image'], attributes: {} },
  channelSumProduct: { inputs: ['a', 'b'], attributes: {} },
  channelVariance: { inputs: ['image', 'mean'], attributes: {} },
  batchNorm: {
    inputs: ['image', 'mean', 'variance', 'gamma', 'beta'],
    attributes: { epsilon: 'number', training: 'boolean' },
  },
  channelCombine: { inputs: ['u', 'v', 'a', 'b', 'k'], attributes: {} },
  concat: { inputs: 'variadic', attributes: {} },
  sliceChannels: { inputs: ['image'], attributes: { start: 'integer', end: 'integer' } },

  maxPool: { inputs: ['image'], attributes: {} },
  maxPoolGradient: { inputs: ['dy', 'pooled', 'image'], attributes: {} },
  resize: { inputs: ['image'], attributes: { factor: 'integer', mode: ['trilinear', 'nearest'] } },
  resizeGradient: { inputs: ['dy'], attributes: { factor: 'integer', mode: ['trilinear', 'nearest'] } },

  logSoftmax: { inputs: ['logits'], attributes: {} },
  logSoftmaxGradient: { inputs: ['dy', 'y'], attributes: {} },
  oneHot: { inputs: ['labels'], attributes: { classes: 'integer' } },
  spatialSum: { inputs: ['image'], attributes: {} },
  spatialSumProduct: { inputs: ['a', 'b'], attributes: {} },
  spatialScale: { inputs: ['image', 'factors'], attributes: {} },
  spatialExpand: { inputs: ['values'], attributes: { grid: 'integers' } },
  sum: { inputs: ['x'], attributes: {} },
} as const;

type Specs = typeof operationSpecs;

export type OperationName = keyof Specs;

export const operationNames: readonly OperationName[] = Object.keys(operationSpecs) as OperationName[];

type TupleOf<Names extends readonly string[], T> = { readonly [Position in keyof Names]: T };

/** One `T` for each input of an operation, as a tuple; any number of them where the inputs are variadic. */
export type InputsOf<Op extends OperationName, T> = Op extends OperationName
  ? Specs[Op]['inputs'] extends readonly string[]
    ? TupleOf<Specs[Op]['inputs'], T>
    : readonly T[]
  : never;

type ValueOf<Kind> = Kind extends 'number' | 'integer'
  ? number
  : Kind extends 'boolean'
    ? boolean
    : Kind extends 'integers'
      ? readonly number[]
      : Kind extends readonly (infer Name)[]
        ? Name
        : never;

type NoAttributes = Readonly<Record<string, never>>;

/** The attributes of an operation, all of them required. */
export type AttributesOf<Op extends OperationName> = Op extends OperationName
  ? keyof Specs[Op]['attributes'] extends never
    ? NoAttributes
    : { readonly [Name in keyof Specs[Op]['attributes']]: ValueOf<Specs[Op]['attributes'][Name]> }
  : never;

/** Operations without attributes, whose `apply` takes none. */
export type PlainOperation = {
  [Op in OperationName]: keyof Specs[Op]['attributes'] extends never ? Op : never;
}[OperationName];
