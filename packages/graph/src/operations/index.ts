/** The rules of every operation, by its name. */
import {
  addChannel,
  batchNorm,
  channelCombine,
  channelSum,
  channelSumProduct,
  channelVariance,
  concat,
  sliceChannels,
} from './channels.js';
import {
  logSoftmax,
  logSoftmaxGradient,
  oneHot,
  spatialExpand,
  spatialScale,
  spatialSum,
  spatialSumProduct,
  sum,
} from './classes.js';
import { conv3d, conv3dInputGradient, conv3dWeightGradient, convTranspose3d } from './convolution.js';
import {
  add,
  affine,
  div,
  exp,
  leakyRelu,
  leakyReluGradient,
  log,
  mul,
  relu,
  reluGradient,
  scale,
  sigmoid,
  sqrt,
  sub,
} from './elementwise.js';
import { maxPool, maxPoolGradient, resize, resizeGradient } from './grid.js';
import type { Operation } from './operation.js';
import type { OperationName } from './specs.js';

const operations = {
  add,
  sub,
  mul,
  div,
  affine,
  scale,
  relu,
  reluGradient,
  leakyRelu,
  leakyReluGradient,
  sigmoid,
  exp,
  log,
  sqrt,
  conv3d,
  conv3dInputGradient,
  conv3dWeightGradient,
  convTranspose3d,
  addChannel,
  channelSum,
  channelSumProduct,
  channelVariance,
  batchNorm,
  channelCombine,
  concat,
  sliceChannels,
  maxPool,
  maxPoolGradient,
  resize,
  resizeGradient,
  logSoftmax,
  logSoftmaxGradient,
  oneHot,
  spatialSum,
  spatialSumProduct,
  spatialScale,
  spatialExpand,
  sum,
} satisfies { readonly [Op in OperationName]: Operation<Op> };

/** The rules of an operation. A union of names is answered with rules that take the union's nodes. */
export function operationOf<Op extends OperationName>(op: Op): Operation<Op> {
  // A record by name and a node by name belong together, which the compiler does not follow through a union.
  return operations[op] as unknown as Operation<Op>;
}
