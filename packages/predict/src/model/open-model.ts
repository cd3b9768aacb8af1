/**
 * Opens the bytes of a Quickcolumn model file (`.onnx` with metadata) and compiles its network for any patch.
 *
 * The file holds the network at one patch size; for another one the network is built again from its configuration
 * and takes the file's weights by name. A checksum over the weights refuses files that were cut or changed.
 */
import { type Graph, plan } from '@quickcolumn/graph';
import { type NetworkConfig, networkSchema, predictionGraph } from '@quickcolumn/networks';
import { type ModelMetadata, modelMetadataSchema, modelMetadataVersion } from '@quickcolumn/pipeline';
import {
  graphProblem,
  type ModelParts,
  type NamedTensor,
  readModelParts,
  type Precision,
  type Runtime,
  weightIn,
} from '@quickcolumn/runtimes';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { LoadedModel, ModelFile } from './loaded-model.js';
import { sha256 } from './sha256.js';

/** The file is not a model that `predict` can use; code `model`. */
export class ModelError extends QuickcolumnError {
  /** @param advice what to do about it */
  constructor(path: string, problem: string, options: { cause?: unknown; advice?: string } = {}) {
    const { advice = 'expected a model.onnx written by quickcolumn train' } = options;
    const message = `${path}: ${problem}; ${advice}`;
    super('model', message, { path }, options);
  }
}

/** What executes a model, and with how many threads (default: all cores). */
export interface ModelDevice {
  readonly runtime: Runtime;
  readonly precision: Precision;
  readonly threads?: number;
}

/** The widest network of the paper's comparison has 124 MB of weights. */
export const largestModelBytes: number = 2 ** 30;

/** What a model file holds, checked. */
export interface ModelContents {
  /** What messages call it. */
  readonly name: string;
  readonly file: ModelFile;
  readonly metadata: ModelMetadata;
  readonly network: NetworkConfig;
  /** Weights and running statistics of the prediction network, by name. */
  readonly weights: ReadonlyMap<string, NamedTensor>;
}

/**
 * @param bytes are read now and not kept
 * @param path what messages call the file; its last part is its name in sidecars
 * @throws ModelError when the bytes are not a model of ours, or damaged
 */
export async function openModel(bytes: Uint8Array, path: string, device: ModelDevice): Promise<LoadedModel> {
  return modelOn(await parseModel(bytes, path), device);
}

/** A model that was read, on a device; the same contents may be put on another one later. */
export function modelOn({ name, file, metadata, network, weights }: ModelContents, device: ModelDevice): LoadedModel {
  const classes = metadata.preparation.classes.length;
  const { runtime, precision, threads } = device;
  const { memory, windowsAtOnce } = runtime;
  return {
    name,
    files: [file],
    metadata,
    runtime: { name: runtime.name, version: runtime.version, precision },
    windowsAtOnce,
    estimateBytes: (patch, batch) => {
      const { peakBytes, variableBytes } = plan(predictionGraph(network, classes, patch, batch));
      const bytes = peakBytes + variableBytes;
      return memory === 'card' ? { hostBytes: 0, cardBytes: bytes } : { hostBytes: bytes, cardBytes: 0 };
    },
    async compile(patch, batch) {
      const options = { precision, ...(threads === undefined ? {} : { threads }) };
      const executable = await runtime.compile(predictionGraph(network, classes, patch, batch), options);
      await executable.writeVariables(weights);
      return {
        batch,
        run: async (image) => (await executable.run({ image })).probabilities,
        dispose: () => executable.dispose(),
      };
    },
  };
}

/** Reads and checks without compiling. @throws ModelError as `openModel` does */
export async function parseModel(bytes: Uint8Array, path: string): Promise<ModelContents> {
  const noOnnx = (cause: unknown): ModelError =>
    new ModelError(path, 'this is not an ONNX file, or it is cut short', { cause });
  let parts: ModelParts;
  let problem: string | undefined;
  try {
    parts = readModelParts(bytes);
  } catch (cause) {
    throw noOnnx(cause);
  }
  // Before anything else is judged: a newer file may well hold what this program does not know.
  refuseNewer(path, parts);
  try {
    problem = graphProblem(bytes);
  } catch (cause) {
    throw noOnnx(cause);
  }
  if (problem !== undefined) throw new ModelError(path, problem);
  const metadata = readMetadata(path, parts);
  const network = readNetwork(path, metadata);
  const weights = await readWeights(path, parts, network, metadata);
  const file = path.split(/[\\/]/).at(-1) ?? path;
  const { weightsSha256, terms, notes } = metadata;
  const checksums = { sha256: await sha256([bytes]), weightsSha256 };
  const about = { ...(terms && { terms }), ...(notes === '' ? {} : { notes }) };
  return { name: path, file: { file, ...checksums, ...about }, metadata, network, weights };
}

/** @throws ModelError for a model of a version that is not known yet */
function refuseNewer(path: string, parts: ModelParts): void {
  const { format, version } = (metadataJson(path, parts) ?? {}) as { format?: unknown; version?: unknown };
  if (format !== 'quickcolumn-model' || typeof version !== 'number' || version <= modelMetadataVersion) return;
  throw new ModelError(
    path,
    `a model of version ${version}, newer than this quickcolumn reads (${modelMetadataVersion})`,
    {
      advice: 'update quickcolumn, or train the model with this version',
    },
  );
}

function metadataJson(path: string, { metadata }: ModelParts): unknown {
  const text = metadata.quickcolumn;
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelError(path, 'its Quickcolumn metadata is not JSON', { cause });
  }
}

function readMetadata(path: string, parts: ModelParts): ModelMetadata {
  const value = metadataJson(path, parts);
  if (value === undefined) throw new ModelError(path, 'this ONNX file has no Quickcolumn metadata');
  const parsed = modelMetadataSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ModelError(path, `its metadata is wrong at ${issue.path.join('.')}: ${issue.message}`);
}

function readNetwork(path: string, metadata: ModelMetadata): NetworkConfig {
  const parsed = networkSchema.safeParse(metadata.network);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ModelError(
    path,
    `its network ${metadata.network.name} is wrong at ${issue.path.join('.') || 'name'}: ${issue.message}`,
  );
}

async function readWeights(
  path: string,
  parts: ModelParts,
  network: NetworkConfig,
  metadata: ModelMetadata,
): Promise<Map<string, NamedTensor>> {
  const found = new Map(parts.initializers.map((tensor) => [tensor.name, tensor]));
  let variables: Graph['variables'];
  try {
    variables = predictionGraph(network, metadata.preparation.classes.length, metadata.patch, 1).variables;
  } catch (cause) {
    throw new ModelError(path, `its network ${network.name} cannot be built`, { cause });
  }
  const weights = new Map<string, NamedTensor>();
  const hashed: Uint8Array[] = [];
  const text = new TextEncoder();
  for (const [name, { node }] of [...variables].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const tensor = weightIn(found, name);
    if (!tensor) throw new ModelError(path, `it lacks the weights ${name}`);
    const fits = tensor.shape.length === node.shape.length && tensor.shape.every((size, at) => size === node.shape[at]);
    if (!fits) {
      const problem = `has the shape [${tensor.shape.join(', ')}], the network needs [${node.shape.join(', ')}]`;
      throw new ModelError(path, `the weights ${name}: ${problem}`);
    }
    const { shape, values: data } = tensor;
    if (data === undefined) throw new ModelError(path, `the weights ${name} are damaged`);
    weights.set(name, { shape, data });
    hashed.push(text.encode(name), new Uint8Array(data.buffer));
  }
  if ((await sha256(hashed)) !== metadata.weightsSha256) {
    throw new ModelError(path, 'its weights do not match their checksum');
  }
  return weights;
}
