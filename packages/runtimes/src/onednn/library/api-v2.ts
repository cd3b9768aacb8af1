/** oneDNN 2.x (Debian 12 ships 2.6): operation descriptors are structs that `*_desc_init` fills. */
import type { LibraryHandle } from 'koffi';
import { algorithm, dataTypes, type Descriptor, type DnnlApi, type Geometry, prop } from './api.js';
import { checked, dims, type NativeFunction, pointerOut } from './call.js';

/** sizeof(dnnl_memory_desc_t) is 696, the largest operation descriptor takes about 6 kB. */
const memoryDescriptorBytes = 1024;
const operationDescriptorBytes = 16384;

export function apiV2(lib: LibraryHandle, engine: bigint): DnnlApi {
  const strided = lib.func('int dnnl_memory_desc_init_by_strides(void*, int, void*, int, void*)');
  const tagged = lib.func('int dnnl_memory_desc_init_by_tag(void*, int, void*, int, int)');
  const eltwisePostOp = lib.func('int dnnl_post_ops_append_eltwise(void*, float, int, float, float)');
  const create = lib.func('int dnnl_primitive_desc_create(void*, void*, void*, void*, void*)');
  const convForward = lib.func(
    'int dnnl_convolution_forward_desc_init(void*, int, int, void*, void*, void*, void*, void*, void*, void*)',
  );
  const convData = lib.func(
    'int dnnl_convolution_backward_data_desc_init(void*, int, void*, void*, void*, void*, void*, void*)',
  );
  const convWeights = lib.func(
    'int dnnl_convolution_backward_weights_desc_init(void*, int, void*, void*, void*, void*, void*, void*, void*)',
  );
  const deconvForward = lib.func(
    'int dnnl_deconvolution_forward_desc_init(void*, int, int, void*, void*, void*, void*, void*, void*, void*)',
  );
  const normForward = lib.func('int dnnl_batch_normalization_forward_desc_init(void*, int, void*, float, uint)');
  const normBackward = lib.func(
    'int dnnl_batch_normalization_backward_desc_init(void*, int, void*, void*, float, uint)',
  );
  const poolForward = lib.func(
    'int dnnl_pooling_forward_desc_init(void*, int, int, void*, void*, void*, void*, void*, void*)',
  );
  const poolBackward = lib.func(
    'int dnnl_pooling_backward_desc_init(void*, int, void*, void*, void*, void*, void*, void*)',
  );
  const softmaxForward = lib.func('int dnnl_logsoftmax_forward_desc_init(void*, int, void*, int)');
  const softmaxBackward = lib.func('int dnnl_logsoftmax_backward_desc_init(void*, void*, void*, int)');
  const resample = lib.func('int dnnl_resampling_forward_desc_init(void*, int, int, void*, void*, void*)');
  const reduction = lib.func('int dnnl_reduction_desc_init(void*, int, void*, void*, float, float)');
  const matmul = lib.func('int dnnl_matmul_desc_init(void*, void*, void*, void*, void*)');
  const binary = lib.func('int dnnl_binary_desc_init(void*, int, void*, void*, void*)');
  const reorder = lib.func('int dnnl_reorder_primitive_desc_create(void*, void*, void*, void*, void*, void*)');

  /** Fills an operation descriptor and makes a primitive descriptor of it. */
  const make = (
    init: NativeFunction,
    operands: readonly unknown[],
    attributes: bigint,
    hint: bigint | null,
  ): bigint => {
    const operation = new Uint8Array(operationDescriptorBytes);
    checked(init.info.name, init(operation, ...operands));
    return pointerOut((out) => checked(init.info.name, create(out, operation, attributes, engine, hint)));
  };

  /** Strides and paddings, in the order of all convolutions. */
  const window = ({ strides, before, after }: Geometry): BigInt64Array[] => [dims(strides), dims(before), dims(after)];

  return {
    eltwise: { relu: 31, sqrt: 111, exp: 191, log: 239, logistic: 175, pow: 32, square: 79 },
    postOpBase: 16384,
    normGradientTakesShift: true,
    normFlags: { globalStats: 1, scale: 8, shift: 16 },
    describe(sizes, type, strides) {
      const descriptor = new Uint8Array(memoryDescriptorBytes);
      const status =
        strides === 'any'
          ? tagged(descriptor, sizes.length, dims(sizes), dataTypes[type], 1)
          : strided(descriptor, sizes.length, dims(sizes), dataTypes[type], dims(strides));
      checked('dnnl_memory_desc_init', status);
      return descriptor;
    },
    appendEltwise: (postOps, operation, alpha, beta) => eltwisePostOp(postOps, 1, operation, alpha, beta) as number,
    convolutionForward: (kind, { src, weights, bias, dst }, geometry, attributes) =>
      make(convForward, [kind, algorithm.convolution, src, weights, bias, dst, ...window(geometry)], attributes, null),
    convolutionBackwardData: ({ src, weights, dst }, geometry, hint, attributes) =>
      make(convData, [algorithm.convolution, src, weights, dst, ...window(geometry)], attributes, hint),
    convolutionBackwardWeights: ({ src, weights, bias, dst }, geometry, hint, attributes) =>
      make(convWeights, [algorithm.convolution, src, weights, bias, dst, ...window(geometry)], attributes, hint),
    deconvolutionForward: (kind, { src, weights, bias, dst }, geometry, attributes) =>
      make(
        deconvForward,
        [kind, algorithm.deconvolution, src, weights, bias, dst, ...window(geometry)],
        attributes,
        null,
      ),
    batchNormForward: (kind, image, { epsilon, flags }, attributes) =>
      make(normForward, [kind, image, epsilon, flags], attributes, null),
    batchNormBackward: (image, { epsilon, flags }, hint, attributes) =>
      make(normBackward, [prop.backward, image, image, epsilon, flags], attributes, hint),
    poolForward: (kind, src, dst, { kernel }, attributes) => {
      const none = dims(kernel.map(() => 0));
      return make(
        poolForward,
        [kind, algorithm.maxPool, src, dst, dims(kernel), dims(kernel), none, none],
        attributes,
        null,
      );
    },
    poolBackward: (src, dst, { kernel, hint }, attributes) => {
      const none = dims(kernel.map(() => 0));
      return make(
        poolBackward,
        [algorithm.maxPool, src, dst, dims(kernel), dims(kernel), none, none],
        attributes,
        hint,
      );
    },
    logSoftmaxForward: (image, axis, attributes) =>
      make(softmaxForward, [prop.training, image, axis], attributes, null),
    logSoftmaxBackward: (image, axis, hint, attributes) =>
      make(softmaxBackward, [image, image, axis], attributes, hint),
    resampleForward: (operation, src, dst, attributes) =>
      make(resample, [prop.inference, operation, null, src, dst], attributes, null),
    reduce: (operation, src, dst, attributes) => make(reduction, [operation, src, dst, 0, 0], attributes, null),
    matmul: (src, weights, dst, attributes) => make(matmul, [src, weights, null, dst], attributes, null),
    binary: (operation, src, { src1, dst }, attributes) => make(binary, [operation, src, src1, dst], attributes, null),
    reorder: (src: Descriptor, dst: Descriptor, attributes) =>
      pointerOut((out) => checked('dnnl_reorder', reorder(out, src, engine, dst, engine, attributes))),
  };
}
