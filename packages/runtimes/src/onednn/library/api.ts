/**
 * The part of oneDNN's C API that differs between its major versions, behind one shape.
 *
 * Version 2 fills operation descriptors (structs) and makes a primitive descriptor of them; version 3 makes primitive
 * descriptors directly and renumbered some constants. Everything else is the same and lives in library.ts.
 * Source: oneapi/dnnl/dnnl.h of 2.6 and 3.6. The trap: a struct or a constant of the wrong version is not refused,
 * it computes something else; so each binding takes all its numbers from its own header.
 */

/** A memory descriptor: a struct owned by the caller (version 2) or a pointer (version 3, and all queried ones). */
export type Descriptor = Uint8Array | bigint;

export type DataType = 'float32' | 'bfloat16' | 'uint8';
export const dataTypes: Readonly<Record<DataType, number>> = { float32: 3, bfloat16: 2, uint8: 6 };

/** Constants that are the same in versions 2 and 3. */
export const prop = { training: 64, inference: 96, backward: 128 } as const;
export const algorithm = {
  convolution: 1,
  deconvolution: 10,
  maxPool: 0x1ff,
  add: 0x1fff0,
  mul: 0x1fff1,
  max: 0x1fff2,
  div: 0x1fff4,
  sub: 0x1fff5,
  gt: 0x1fff7,
  nearest: 0x2fff0,
  linear: 0x2fff1,
  sum: 0x2fff4,
} as const;
export const argument = {
  src: 1,
  src1: 2,
  dst: 17,
  weights: 33,
  bias: 41,
  mean: 49,
  variance: 50,
  scale: 51,
  shift: 52,
  workspace: 64,
  scratchpad: 80,
  diffSrc: 129,
  diffDst: 145,
  diffWeights: 161,
  diffBias: 169,
  diffScale: 255,
  diffShift: 256,
} as const;
export const query = {
  implementation: 8,
  src: 129,
  diffSrc: 130,
  weights: 131,
  diffWeights: 132,
  dst: 133,
  diffDst: 134,
  workspace: 135,
  scratchpad: 136,
} as const;

export type Eltwise = 'relu' | 'sqrt' | 'exp' | 'log' | 'logistic' | 'pow' | 'square';
export type Binary = 'add' | 'mul' | 'max' | 'div' | 'sub' | 'gt';

/** One operation applied to a primitive's result before it is stored. */
export type PostOp =
  | { readonly kind: 'eltwise'; readonly operation: Eltwise; readonly alpha: number; readonly beta: number }
  | { readonly kind: 'binary'; readonly operation: Binary; readonly operand: Descriptor };

/** Strides and paddings of a convolution or pooling, one number an axis. */
export interface Geometry {
  readonly strides: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Makers of memory and primitive descriptors. Each primitive descriptor is owned by the caller
 * (`Library.destroyDescriptor`); a status other than success is thrown as DnnlStatusError.
 * `hint` is the primitive descriptor of the forward pass, `attributes` comes from `Library.attributes`.
 */
export interface DnnlApi {
  readonly eltwise: Readonly<Record<Eltwise, number>>;
  /** Argument number of a post-operation's operand is `(index + 1) · postOpBase | src1`. */
  readonly postOpBase: number;
  /** 2.6 fails in the backward pass without the shift, 3.x with it. */
  readonly normGradientTakesShift: boolean;
  readonly normFlags: { readonly globalStats: number; readonly scale: number; readonly shift: number };
  /** Strides in elements; 'any' leaves the layout to the library. */
  describe(dims: readonly number[], type: DataType, strides: readonly number[] | 'any'): Descriptor;
  appendEltwise(postOps: bigint, operation: number, alpha: number, beta: number): number;
  convolutionForward(kind: number, tensors: ConvolutionTensors, geometry: Geometry, attributes: bigint): bigint;
  convolutionBackwardData(tensors: ConvolutionTensors, geometry: Geometry, hint: bigint, attributes: bigint): bigint;
  convolutionBackwardWeights(tensors: ConvolutionTensors, geometry: Geometry, hint: bigint, attributes: bigint): bigint;
  deconvolutionForward(kind: number, tensors: ConvolutionTensors, geometry: Geometry, attributes: bigint): bigint;
  batchNormForward(kind: number, image: Descriptor, norm: NormOptions, attributes: bigint): bigint;
  batchNormBackward(image: Descriptor, norm: NormOptions, hint: bigint, attributes: bigint): bigint;
  poolForward(
    kind: number,
    src: Descriptor,
    dst: Descriptor,
    options: { kernel: readonly number[] },
    attributes: bigint,
  ): bigint;
  poolBackward(
    src: Descriptor,
    dst: Descriptor,
    options: { kernel: readonly number[]; hint: bigint },
    attributes: bigint,
  ): bigint;
  logSoftmaxForward(image: Descriptor, axis: number, attributes: bigint): bigint;
  logSoftmaxBackward(image: Descriptor, axis: number, hint: bigint, attributes: bigint): bigint;
  resampleForward(operation: number, src: Descriptor, dst: Descriptor, attributes: bigint): bigint;
  reduce(operation: number, src: Descriptor, dst: Descriptor, attributes: bigint): bigint;
  matmul(src: Descriptor, weights: Descriptor, dst: Descriptor, attributes: bigint): bigint;
  binary(
    operation: number,
    src: Descriptor,
    options: { src1: Descriptor; dst: Descriptor },
    attributes: bigint,
  ): bigint;
  reorder(src: Descriptor, dst: Descriptor, attributes: bigint): bigint;
}

export interface ConvolutionTensors {
  readonly src: Descriptor;
  readonly weights: Descriptor;
  readonly bias: Descriptor | null;
  readonly dst: Descriptor;
}

interface NormOptions {
  readonly epsilon: number;
  readonly flags: number;
}
