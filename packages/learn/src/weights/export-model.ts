/**
 * Writes the model file: one `.onnx` with the network at its training patch, the weights as named initializers and
 * the metadata that `predict` needs. It runs in any ONNX Runtime and opens in Netron.
 */
import { createHash } from 'node:crypto';
import { writeFileAtomic } from '@quickcolumn/io';
import { type NetworkConfig, predictionGraph } from '@quickcolumn/networks';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import { encodeModel, lowerToOnnx, type NamedTensor, onnxOpset } from '@quickcolumn/runtimes';

/** Key of the metadata entry that holds the JSON of ModelMetadata. */
const metadataKey = 'quickcolumn';

export interface ExportOptions {
  readonly network: NetworkConfig;
  readonly variables: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Omit<ModelMetadata, 'format' | 'version' | 'network' | 'weightsSha256'>;
}

/** Variables that the prediction network does not have (optimiser moments) are left out. Atomic. */
export async function exportModel(path: string, { network, variables, metadata }: ExportOptions): Promise<void> {
  const classes = metadata.preparation.classes.length;
  const graph = predictionGraph(network, classes, metadata.patch, 1);
  const constants = new Map<string, NamedTensor>();
  const hash = createHash('sha256');
  for (const name of [...graph.variables.keys()].sort()) {
    const tensor = variables.get(name);
    if (!tensor) throw new RangeError(`the weights to export lack ${name}`);
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
    graph: lowerToOnnx(graph, { constants }),
    opset: onnxOpset,
    metadata: { [metadataKey]: JSON.stringify(full) },
  });
  await writeFileAtomic(path, bytes);
}
