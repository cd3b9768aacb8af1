/** oneDNN 3.x (Debian 13 ships 3.6): memory descriptors are opaque, primitive descriptors are made in one call. */
import type { LibraryHandle } from 'koffi';
import { algorithm, dataTypes, type DnnlApi, type Geometry, prop } from './api.js';
import { checked, dims, type NativeFunction, pointerOut } from './call.js';

const softmaxLog = 0x30001;

/** @param keep Gets every memory descriptor made here; the library's owner destroys them. */
export function apiV3(lib: LibraryHandle, engine: bigint, keep: (descriptor: bigint) => unknown): DnnlApi {
  const strided = lib.func('int dnnl_memory_desc_create_with_strides(void*, int, void*, int, void*)');
  const tagged = lib.func('int dnnl_memory_desc_create_with_tag(void*, int, void*, int, int)');
  const eltwisePostOp = lib.func('int dnnl_post_ops_append_eltwise(void*, int, float, float)');
  /** A maker of primitive descriptors: out, engine, then what `types` says. */
  const maker = (name: string, types: string): NativeFunction =>
    lib.func(`int dnnl_${name}_primitive_desc_create(void*, void*, ${types})`);
  const pointers = (count: number): string => Array.from({ length: count }, () => 'void*').join(', ');
  const convForward = maker('convolution_forward', `int, int, ${pointers(9)}`);
  const convData = maker('convolution_backward_data', `int, ${pointers(9)}`);
  const convWeights = maker('convolution_backward_weights', `int, ${pointers(10)}`);
  const deconvForward = maker('deconvolution_forward', `int, int, ${pointers(9)}`);
  const normForward = maker('batch_normalization_forward', 'int, void*, void*, float, uint, void*');
  const normBackward = maker('batch_normalization_backward', 'int, void*, void*, void*, float, uint, void*, void*');
  const poolForward = maker('pooling_forward', `int, int, ${pointers(8)}`);
  const poolBackward = maker('pooling_backward', `int, ${pointers(9)}`);
  const softmaxForward = maker('softmax_forward', 'int, int, void*, void*, int, void*');
  const softmaxBackward = maker('softmax_backward', 'int, void*, void*, void*, int, void*, void*');
  const resample = maker('resampling_forward', `int, int, ${pointers(4)}`);
  const reduction = maker('reduction', 'int, void*, void*, float, float, void*');
  const matmul = maker('matmul', pointers(5));
  const binary = maker('binary', `int, ${pointers(4)}`);
  const reorder = lib.func('int dnnl_reorder_primitive_desc_create(void*, void*, void*, void*, void*, void*)');

  const make = (maker_: NativeFunction, ...operands: readonly unknown[]): bigint =>
    pointerOut((out) => checked(maker_.info.name, maker_(out, engine, ...operands)));
  const undilated = (sizes: readonly number[]): BigInt64Array => dims(sizes.map(() => 0));
  /** Strides, dilation and paddings, in the order of all convolutions. */
  const window = ({ strides, before, after }: Geometry): BigInt64Array[] => [
    dims(strides),
    undilated(strides),
    dims(before),
    dims(after),
  ];

  return {
    eltwise: { relu: 32, sqrt: 37, exp: 42, log: 45, logistic: 41, pow: 48, square: 35 },
    postOpBase: 32768,
    normGradientTakesShift: false,
    normFlags: { globalStats: 1, scale: 2, shift: 4 },
    describe(sizes, type, strides) {
      const descriptor = pointerOut((out) => {
        const status =
          strides === 'any'
            ? tagged(out, sizes.length, dims(sizes), dataTypes[type], 1)
            : strided(out, sizes.length, dims(sizes), dataTypes[type], dims(strides));
        checked('dnnl_memory_desc_create', status);
      });
      keep(descriptor);
      return descriptor;
    },
    appendEltwise: (postOps, operation, alpha, beta) => eltwisePostOp(postOps, operation, alpha, beta) as number,
    convolutionForward: (kind, { src, weights, bias, dst }, geometry, attributes) =>
      make(convForward, kind, algorithm.convolution, src, weights, bias, dst, ...window(geometry), attributes),
    convolutionBackwardData: ({ src, weights, dst }, geometry, hint, attributes) =>
      make(convData, algorithm.convolution, src, weights, dst, ...window(geometry), hint, attributes),
    convolutionBackwardWeights: ({ src, weights, bias, dst }, geometry, hint, attributes) =>
      make(convWeights, algorithm.convolution, src, weights, bias, dst, ...window(geometry), hint, attributes),
    deconvolutionForward: (kind, { src, weights, bias, dst }, geometry, attributes) =>
      make(deconvForward, kind, algorithm.deconvolution, src, weights, bias, dst, ...window(geometry), attributes),
    batchNormForward: (kind, image, { epsilon, flags }, attributes) =>
      make(normForward, kind, image, image, epsilon, flags, attributes),
    batchNormBackward: (image, { epsilon, flags }, hint, attributes) =>
      make(normBackward, prop.backward, image, image, image, epsilon, flags, hint, attributes),
    poolForward: (kind, src, dst, { kernel }, attributes) => {
      const none = undilated(kernel);
      const size = dims(kernel);
      return make(poolForward, kind, algorithm.maxPool, src, dst, size, size, none, none, none, attributes);
    },
    poolBackward: (src, dst, { kernel, hint }, attributes) => {
      const none = undilated(kernel);
      const size = dims(kernel);
      return make(poolBackward, algorithm.maxPool, src, dst, size, size, none, none, none, hint, attributes);
    },
    logSoftmaxForward: (image, axis, attributes) =>
      make(softmaxForward, prop.training, softmaxLog, image, image, axis, attributes),
    logSoftmaxBackward: (image, axis, hint, attributes) =>
      make(softmaxBackward, softmaxLog, image, image, image, axis, hint, attributes),
    resampleForward: (operation, src, dst, attributes) =>
      make(resample, prop.inference, operation, null, src, dst, attributes),
    reduce: (operation, src, dst, attributes) => make(reduction, operation, src, dst, 0, 0, attributes),
    matmul: (src, weights, dst, attributes) => make(matmul, src, weights, null, dst, attributes),
    binary: (operation, src, { src1, dst }, attributes) => make(binary, operation, src, src1, dst, attributes),
    reorder: (src, dst, attributes) =>
      pointerOut((out) => checked('dnnl_reorder', reorder(out, src, engine, dst, engine, attributes))),
  };
}
