import { elementCount, Graph, type GraphNode, runReference } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import { type Builder, buildHeads, catalogue, type NetworkConfig, networkSize } from './index.js';

type QchcUnetConfig = Extract<NetworkConfig, { name: 'qchc-unet' }>;

const qchc: QchcUnetConfig = {
  name: 'qchc-unet',
  rootFilters: 16,
  resize: 'trilinear',
  bottomLevel: false,
  quickConnection: true,
  hypercolumn: true,
};
const paperPatch = [160, 160, 80] as const;

describe('published sizes (spec section 5)', () => {
  it.each([
    [8, 1_938_548],
    [16, 7_746_916],
    [32, 30_973_124],
  ])('QC-HC U-Net with %i root filters has %i parameters', (rootFilters, parameters) => {
    expect(networkSize({ ...qchc, rootFilters }, 4, paperPatch).parameters).toBe(parameters);
  });

  it('QC-HC U-Net costs 334 GFLOP a patch, its wide form 1332 (1333 by our count)', () => {
    expect(networkSize(qchc, 4, paperPatch).flop / 1e9).toBeCloseTo(334, -0.5);
    expect(networkSize({ ...qchc, rootFilters: 32 }, 4, paperPatch).flop / 1e9).toBeCloseTo(1332, -0.5);
  });

  it("Müller's 3D U-Net has 22.58 M parameters and costs 929 GFLOP", () => {
    const size = networkSize({ name: 'unet3d', rootFilters: 32 }, 4, paperPatch);
    expect(size.parameters).toBe(22_581_316);
    expect(size.flop / 1e9).toBeCloseTo(929, -0.5);
  });

  it('an ablation without quick connections lacks exactly the four 1×1×1 shortcuts', () => {
    // Each shortcut: 3C·C weights, C biases, 2C of its batch norm.
    const shortcuts = [16, 32, 64, 128].reduce((sum, c) => sum + 3 * c * c + 3 * c, 0);
    const without = networkSize({ ...qchc, quickConnection: false }, 4, paperPatch).parameters;
    expect(networkSize(qchc, 4, paperPatch).parameters - without).toBe(shortcuts);
  });

  it('an ablation without the hypercolumn lacks the three coarse heads, the bottom level adds one', () => {
    const full = networkSize(qchc, 4, paperPatch).parameters;
    expect(full - networkSize({ ...qchc, hypercolumn: false }, 4, paperPatch).parameters).toBe(4 * (32 + 64 + 128));
    expect(networkSize({ ...qchc, bottomLevel: true }, 4, paperPatch).parameters - full).toBe(4 * 512);
  });
});

describe('QC-HC U-Net with instance norm', () => {
  const instance = { ...qchc, rootFilters: 2, normalization: 'instance' } as const;

  it('predicts what it computes in training, and has no running statistics', () => {
    const trained = run(
      instance,
      (builder, image) => buildHeads({ ...builder, training: true }, image, 3, instance).logits,
    );
    const predicted = run(instance);
    expect(predicted.length).toBe(3 * 4096);
    expect(predicted).toEqual(trained);
    const graph = new Graph();
    const image = graph.input('image', [1, 1, 16, 16, 16]);
    buildHeads({ graph, training: true, path: '' }, image, 3, instance);
    expect([...graph.variables.keys()].filter((name) => /(mean|variance)$/.test(name))).toEqual([]);
    expect(graph.assignments.size).toBe(0);
  });

  it('is another function than with batch norm', () => {
    expect(run(instance)).not.toEqual(run({ ...qchc, rootFilters: 2 }));
  });
});

/** A network's logits on random input and weights, by the float64 reference. */
function run(config: NetworkConfig, build?: (builder: Builder, image: GraphNode) => GraphNode): Float64Array {
  const graph = new Graph();
  const image = graph.input('image', [1, 1, 16, 16, 16]);
  const builder: Builder = { graph, training: false, path: '' };
  graph.output('logits', build ? build(builder, image) : buildHeads(builder, image, 3, config).logits);
  return runReference(graph, randomValues(graph)).get('logits')?.data ?? new Float64Array();
}

function randomValues(graph: Graph): Map<string, Float64Array> {
  const values = new Map<string, Float64Array>();
  const nodes = [...graph.inputs.values(), ...[...graph.variables.values()].map(({ node }) => node)];
  for (const node of nodes) {
    const seed = (node.name ?? '').length * 7.31 + (node.name ?? '').charCodeAt(3);
    const length = node.shape.reduce((p, s) => p * s, 1);
    const spread = node.shape.length === 5 && node.name !== 'image' ? Math.sqrt(2 / (length / node.shape[0])) : 1;
    const isVariance = node.name?.endsWith('/variance') ?? false;
    const value = (i: number): number => Math.sin(seed + i * 12.9898 + i * i * 0.713);
    values.set(
      node.name ?? '',
      Float64Array.from({ length }, (_, i) => (isVariance ? 1 + value(i) ** 2 : spread * value(i))),
    );
  }
  return values;
}

describe('hypercolumn', () => {
  it.each(['trilinear', 'nearest'] as const)(
    'equals one 1×1×1 convolution over all up-sampled decoder features (%s)',
    (resize) => {
      const config: QchcUnetConfig = { ...qchc, rootFilters: 2, resize, bottomLevel: true };
      const graph = new Graph();
      const image = graph.input('image', [1, 1, 16, 16, 16]);
      const { logits } = buildHeads({ graph, training: false, path: '' }, image, 3, config);
      graph.output('logits', logits);
      // The same features, up-sampled, joined, and scored by the heads' weights side by side.
      const heads = graph.nodes
        .filter((node) => node.op === 'conv3d')
        .filter(({ inputs: [, weights] }) => /^head\d\/weight$/.test(weights.name ?? ''));
      const columns = heads.map((head) => {
        const [features] = head.inputs;
        const factor = 16 / features.shape[2];
        return factor === 1 ? features : graph.apply('resize', [features], { factor, mode: resize });
      });
      graph.output('columns', graph.apply('concat', columns));
      const values = randomValues(graph);
      const results = runReference(graph, values);
      const joined = results.get('columns');
      const bias = values.get('head/bias');
      if (!joined || !bias) throw new Error('no columns');
      const voxels = 16 ** 3;
      const expected = Float64Array.from({ length: 3 * voxels }, (_, i) => {
        const c = Math.floor(i / voxels);
        let sum = bias[c];
        let first = 0;
        for (const head of heads) {
          const width = head.inputs[1].shape[1];
          const weights = values.get(head.inputs[1].name ?? '') ?? new Float64Array();
          for (let f = 0; f < width; f++)
            sum += weights[c * width + f] * joined.data[(first + f) * voxels + (i % voxels)];
          first += width;
        }
        return sum;
      });
      const actual = results.get('logits')?.data ?? new Float64Array();
      expect(heads).toHaveLength(5);
      actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 9));
    },
  );

  it('is what the options say: other logits with each switch', () => {
    const small = { ...qchc, rootFilters: 2 };
    const base = run(small);
    for (const change of [
      { resize: 'nearest' },
      { bottomLevel: true },
      { quickConnection: false },
      { hypercolumn: false },
    ] as const) {
      const other = run({ ...small, ...change });
      expect(other.some((value, i) => Math.abs(value - base[i]) > 1e-6)).toBe(true);
    }
  });
});

describe('batch statistics', () => {
  it('move the running statistics by one hundredth towards the batch', () => {
    const graph = new Graph();
    const image = graph.input('image', [1, 1, 16, 16, 16]);
    const { logits } = buildHeads({ graph, training: true, path: '' }, image, 2, { name: 'unet3d', rootFilters: 1 });
    graph.output('logits', logits);
    const values = randomValues(graph);
    const results = runReference(graph, values);
    const first = graph.nodes.find((node) => node.op === 'channelVariance');
    if (!first) throw new Error('no batch norm');
    graph.output('variance', first);
    const batch = runReference(graph, values).get('variance')?.data[0] ?? Number.NaN;
    const before = values.get('encoder0/first/norm/variance')?.[0] ?? Number.NaN;
    expect(results.get('encoder0/first/norm/variance')?.data[0]).toBeCloseTo(0.99 * before + 0.01 * batch, 12);
  });
});

const wave = (length: number, seed: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898 + i * i * 0.713));

describe('DRU-Net', () => {
  it('is the QC-HC U-Net without the hypercolumn', () => {
    const logits = (name: 'dru-net' | 'qchc-unet'): Float64Array => {
      const graph = new Graph();
      const image = graph.input('image', [1, 1, 16, 16, 16]);
      const plain = catalogue.find(({ id }) => id === (name === 'dru-net' ? name : 'qchc-unet-no-hypercolumn'));
      if (!plain) throw new Error('not in the catalogue');
      const config = { ...plain.config, rootFilters: 1 };
      graph.output('logits', buildHeads({ graph, training: false, path: '' }, image, 2, config).logits);
      const values = new Map([['image', wave(4096, 1)]]);
      for (const [variable, { node }] of graph.variables) {
        // The head's weights have another name in the hypercolumn: `head0`.
        const seed = variable.replace('head0', 'head').length;
        values.set(
          variable,
          wave(elementCount(node.shape), seed).map((value) => (variable.endsWith('variance') ? 1 + value ** 2 : value)),
        );
      }
      return runReference(graph, values).get('logits')?.data ?? new Float64Array();
    };
    const [dru, ablation] = [logits('dru-net'), logits('qchc-unet')];
    expect(dru.length).toBe(2 * 4096);
    dru.forEach((value, i) => expect(ablation[i]).toBeCloseTo(value, 9));
  });
});
