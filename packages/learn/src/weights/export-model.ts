/**
 * Writes the model file: one `.onnx` with the network at its training patch, the weights as named initializers and
 * the metadata that `predict` needs. It runs in any ONNX Runtime and opens in Netron.
 *
 * With `weights: 'float16'` the kernels of convolutions take half the bytes; the rule is `isKernel`: what has more than one
 * axis. What is one number a channel (biases, scales, shifts, running means and variances) stays in float32: it is a
 * hundredth of the bytes, and variances may be far beyond float16.
 */
import { createHash } from 'node:crypto';
import { QuickcolumnError } from '@quickcolumn/errors';
import { writeFileAtomic } from '@quickcolumn/io';
import { type NetworkConfig, predictionGraph } from '@quickcolumn/networks';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import {
  encodeModel,
  float16Of,
  float32Of,
  lowerToOnnx,
  type NamedTensor,
  onnxOpset,
  withFloat16Weights,
} from '@quickcolumn/runtimes';

/** Key of the metadata entry that holds the JSON of ModelMetadata. */
const metadataKey = 'quickcolumn';

export interface ExportOptions {
  readonly network: NetworkConfig;
  readonly variables: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Omit<ModelMetadata, 'format' | 'version' | 'network' | 'weightsSha256'>;
  /** What the file keeps kernels in; default `float32`. */
  readonly weights?: 'float32' | 'float16';
}

const isKernel = ({ shape }: NamedTensor): boolean => shape.length > 1;

/**
 * Variables that the prediction network does not have (optimiser moments) are left out. Atomic.
 * @throws QuickcolumnError `model` for a kernel that float16 cannot hold
 */
export async function exportModel(
  path: string,
  { network, variables, metadata, weights = 'float32' }: ExportOptions,
): Promise<void> {
  const classes = metadata.preparation.classes.length;
  const graph = predictionGraph(network, classes, metadata.patch, 1);
  const constants = new Map<string, NamedTensor>();
  const halved = new Set<string>();
  const hash = createHash('sha256');
  for (const name of [...graph.variables.keys()].sort()) {
    const given = variables.get(name);
    if (!given) throw new RangeError(`the weights to export lack ${name}`);
    if (weights === 'float16' && isKernel(given)) halved.add(name);
    const tensor = halved.has(name) ? rounded(path, name, given) : given;
    constants.set(name, tensor);
    hash.update(name).update(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
  }
  const full: ModelMetadata = {
    format: 'quickcolumn-model',
    version: 3,
    network: { ...network },
    ...metadata,
    weightsSha256: hash.digest('hex'),
  };
  const bytes = encodeModel({
    graph: withFloat16Weights(lowerToOnnx(graph, { constants }), halved),
    opset: onnxOpset,
    metadata: { [metadataKey]: JSON.stringify(full) },
  });
  await writeFileAtomic(path, bytes);
}

/** As it comes back from float16. */
function rounded(path: string, name: string, { shape, data }: NamedTensor): NamedTensor {
  try {
    return { shape, data: float32Of(new Uint8Array(float16Of(data).buffer)) };
  } catch (cause) {
    const message = `${path}: the kernel ${name} cannot be kept in float16: ${(cause as Error).message}; use float32`;
    throw new QuickcolumnError('model', message, { path, name }, { cause });
  }
}
