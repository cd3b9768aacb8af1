/**
 * The model file. Besides bytes, its metadata are mutated: a later entry of the same name replaces an earlier one, so a
 * mutated JSON text is simply put behind the file. Graphs that no runtime should see are seeds: cycles, values out of
 * nothing, many nodes.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportModel } from '@quickcolumn/learn';
import { type NetworkConfig, predictionGraph } from '@quickcolumn/networks';
import { paperPreparation } from '@quickcolumn/pipeline';
import { loadModel } from '@quickcolumn/predict';
import { encodeModel, type NamedTensor, type OnnxModel, readModelParts } from '@quickcolumn/runtimes';
import type { FuzzReader } from './reader.js';
import { varyBytes, varyText } from '../mutation/vary.js';

const networks: readonly NetworkConfig[] = [
  {
    name: 'qchc-unet',
    rootFilters: 1,
    resize: 'trilinear',
    bottomLevel: true,
    quickConnection: true,
    hypercolumn: true,
  },
  { name: 'unet3d', rootFilters: 1 },
];
const patch = [16, 16, 16] as const;

/** A whole model file with weights of zeros. */
export async function makeModel(network: NetworkConfig, weights?: 'float16'): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'quickcolumn-fuzz-'));
  try {
    const graph = predictionGraph(network, paperPreparation.classes.length, patch, 1);
    const variables = new Map<string, NamedTensor>();
    for (const [name, { node }] of graph.variables) {
      const length = node.shape.reduce((product, size) => product * size, 1);
      variables.set(name, { shape: node.shape, data: new Float32Array(length) });
    }
    const metadata = { preparation: paperPreparation, patch, overlap: [0, 0, 0] as const, training: {}, notes: '' };
    const path = join(folder, 'model.onnx');
    await exportModel(path, { network, variables, metadata, ...(weights && { weights }) });
    return new Uint8Array(await readFile(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A model whose nodes use each other's results, with the metadata of a good one. */
export function cyclicModel(good: Uint8Array): Uint8Array {
  const value = { name: 'image', type: 'float32', shape: [1] } as const;
  const model: OnnxModel = {
    opset: 17,
    metadata: readModelParts(good).metadata,
    graph: {
      name: 'cyclic',
      inputs: [value],
      outputs: [{ ...value, name: 'probabilities' }],
      initializers: readModelParts(good).initializers,
      nodes: [
        { op: 'Add', inputs: ['image', 'b'], outputs: ['a'] },
        { op: 'Add', inputs: ['image', 'a'], outputs: ['b'] },
        { op: 'Add', inputs: ['a', 'b'], outputs: ['probabilities'] },
      ],
    },
  };
  return encodeModel(model);
}

/** The file with other metadata. */
export function withMetadata(model: Uint8Array, text: Uint8Array): Uint8Array {
  const empty: OnnxModel = {
    opset: 17,
    metadata: { quickcolumn: Buffer.from(text).toString('utf8') },
    graph: { name: '', nodes: [], inputs: [], outputs: [], initializers: [] },
  };
  return Buffer.concat([model, encodeModel(empty)]);
}

export const modelReader: FuzzReader = {
  name: 'model',
  seeds: async () => {
    const models = await Promise.all(networks.map((network) => makeModel(network)));
    models.push(await makeModel(networks[1], 'float16'));
    const seeds = [...models, cyclicModel(models[0]), encodeModel({ opset: 17, graph: emptyGraph })];
    return seeds.map((bytes, i) => ({ name: `made-${i}.onnx`, extension: '.onnx', bytes }));
  },
  vary: ({ bytes }, random, other) => {
    if (random.next() < 0.5) return varyBytes(bytes, random, other);
    const text = readModelParts(bytes).metadata['quickcolumn'] ?? '{}';
    return withMetadata(bytes, varyText(Buffer.from(text), random));
  },
  read: async (path) => {
    const model = await loadModel(path);
    // What predict asks of it before anything is allocated.
    model.estimateBytes?.(model.metadata.patch, 1);
  },
};

const emptyGraph: OnnxModel['graph'] = { name: '', nodes: [], inputs: [], outputs: [], initializers: [] };
