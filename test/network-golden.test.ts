/**
 * Every network beside an independent PyTorch version (golden/networks/make-network-golden.py): parameter count at the
 * published width, logits of training and prediction mode, and the gradient of every parameter, at a small width on a
 * grid with different sides. Prediction runs in float32 in the onnx runtime and is held to 1e-4 of the values' size.
 * Training mode runs in the float64 reference, to 1e-6: batch norms over the four voxels of the coarsest level make
 * gradients that float32 cannot repeat, PyTorch's own included.
 */
import { readFileSync } from 'node:fs';
import { differentiate, elementCount, Graph, type GraphNode, runReference } from '@quickcolumn/graph';
import { buildHeads, catalogue, type NetworkConfig, networkSchema, networkSize } from '@quickcolumn/networks';
import { openOnnx } from '@quickcolumn/runtimes';
import { describe, expect, it } from 'vitest';

const onnxRuntime = await openOnnx();
interface Golden {
  readonly config: NetworkConfig;
  readonly rootFilters: number;
  readonly parameters: number;
  readonly prediction: readonly number[];
  readonly training: readonly (readonly number[])[];
  readonly gradients: Readonly<Record<string, readonly [dot: number, norm: number]>>;
}

const classes = 3;
const imageShape = [2, 1, 16, 16, 32];
const samples = 96;

/** The values of the Python script: FNV-1a of the name, mixed with the index in 32-bit arithmetic, in [−1, 1). */
function uniform(name: string, count: number): Float64Array {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return Float64Array.from({ length: count }, (_, i) => {
    let x = Math.imul(i + 1, 0x9e3779b1) + hash;
    x ^= x >>> 16;
    x = Math.imul(x, 0x85ebca6b);
    x ^= x >>> 13;
    return (x >>> 0) / 2 ** 31 - 1;
  });
}

/** Blocks of 8 voxels and noise, as in the script. */
function testImage(): Float32Array {
  const [, , depth, height, width] = imageShape;
  const coarse = uniform('coarse', elementCount(imageShape) / 512);
  return Float32Array.from(uniform('image', elementCount(imageShape)), (noise, i) => {
    const [x, y] = [i % width, Math.floor(i / width) % height];
    const slice = Math.floor(i / (width * height));
    const [z, n] = [slice % depth, Math.floor(slice / depth)];
    const row = ((n * depth) / 8 + Math.floor(z / 8)) * (height / 8) + Math.floor(y / 8);
    return 2 * coarse[(row * width) / 8 + Math.floor(x / 8)] + 0.5 * noise;
  });
}

function variableValues(graph: Graph): Map<string, { shape: readonly number[]; data: Float32Array }> {
  const values = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, { node }] of graph.variables) {
    const count = elementCount(node.shape);
    const leaf = name.slice(name.lastIndexOf('/') + 1);
    const spread = leaf === 'weight' ? Math.sqrt(6 / (count / node.shape[0])) : 0.3;
    const offset = leaf === 'gamma' || leaf === 'variance' ? 1 : 0;
    values.set(name, {
      shape: node.shape,
      data: Float32Array.from(uniform(name, count), (u) => offset + spread * u),
    });
  }
  return values;
}

function inputValues(graph: Graph): Record<string, Float32Array> {
  const inputs: Record<string, Float32Array> = {};
  for (const [name, node] of graph.inputs) {
    const count = elementCount(node.shape);
    inputs[name] = name === 'image' ? testImage() : Float32Array.from(uniform(name, count));
  }
  return inputs;
}

function expectSamples(actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  const step = Math.floor(actual.length / samples);
  const size = Math.max(1, ...expected.map(Math.abs));
  const worst = Math.max(...expected.map((value, i) => Math.abs(actual[i * step] - value)));
  expect(worst).toBeLessThan(tolerance * size);
}

describe.each(catalogue)('$title', ({ id, config }) => {
  const golden = JSON.parse(readFileSync(new URL(`golden/networks/${id}.json`, import.meta.url), 'utf8')) as Golden;

  it('has the parameters of the published width', () => {
    expect(networkSchema.safeParse(golden.config).success).toBe(true);
    expect(config.rootFilters).toBe(golden.rootFilters);
    expect(networkSize(config, 4, [160, 160, 80]).parameters).toBe(golden.parameters);
  });

  it('predicts what the PyTorch version does', async () => {
    const graph = new Graph();
    const image = graph.input('image', imageShape);
    const { logits, auxiliary } = buildHeads({ graph, training: false, path: '' }, image, classes, golden.config);
    graph.output('logits', logits);
    expect(auxiliary).toHaveLength(0);
    const executable = await onnxRuntime.compile(graph);
    await executable.writeVariables(variableValues(graph));
    const outputs = await executable.run(inputValues(graph));
    await executable.dispose();
    expectSamples(outputs.logits, golden.prediction, 1e-4);
  });

  it('has its logits and gradients in training', () => {
    const graph = new Graph();
    const image = graph.input('image', imageShape);
    const { logits, auxiliary } = buildHeads({ graph, training: true, path: '' }, image, classes, golden.config);
    const heads = [logits, ...auxiliary];
    expect(heads).toHaveLength(golden.training.length);
    const terms = heads.map((head, n): GraphNode => {
      graph.output(`head${n}`, head);
      return graph.apply('sum', [graph.apply('mul', [head, graph.input(`pattern${n}`, head.shape)])]);
    });
    const loss = terms.reduce((sum, term) => graph.apply('add', [sum, term]));
    const weights = [...graph.variables.values()].filter(({ trainable }) => trainable).map(({ node }) => node);
    const gradients = differentiate(graph, loss, weights);
    gradients.forEach((gradient, i) => graph.output(`d ${weights[i].name}`, gradient));
    const values = new Map<string, ArrayLike<number>>(Object.entries(inputValues(graph)));
    for (const [name, { data }] of variableValues(graph)) values.set(name, data);
    const outputs = runReference(graph, values);
    const data = (name: string): Float64Array => outputs.get(name)?.data ?? new Float64Array();
    golden.training.forEach((expected, n) => expectSamples(data(`head${n}`), expected, 1e-6));

    const names = weights.map(({ name }) => name ?? '');
    expect(names.sort()).toEqual(Object.keys(golden.gradients).sort());
    for (const [name, [dot, norm]] of Object.entries(golden.gradients)) {
      const gradient = data(`d ${name}`);
      const pattern = uniform(`${name}'`, gradient.length);
      const actual = gradient.reduce((sum, value, i) => sum + value * pattern[i], 0);
      expect(Math.abs(actual - dot), name).toBeLessThan(1e-6 * Math.max(1, norm));
    }
  });
});
