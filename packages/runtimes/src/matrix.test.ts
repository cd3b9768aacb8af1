/**
 * The operation × runtime matrix: every operation of the graph, on small odd shapes, in every runtime that runs in
 * Node, against the float64 reference. Largest error over largest expected value: at most 1e-4 in float32, 2e-2 in
 * bfloat16.
 */
import { elementCount, Graph, type GraphNode, operations, runReference, type Shape } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import { loweredOperations, lowerToOnnx } from './onnx/lower.js';
import { type Case, cases, composites, type Source } from './matrix.test.cases.js';
import { oneDnnOperations } from './onednn/lower.js';
import { type OneDnnRuntime, openOneDnn } from './onednn/runtime.js';
import { onnxRuntime } from './onnx/runtime.js';
import type { Executable, Precision } from './runtime.js';
import { webGpuOperations } from './webgpu/lower.js';
import { openWebGpu } from './webgpu/open.js';
import type { WebGpuRuntime } from './webgpu/runtime.js';
import { useSoftwareWhereNeeded } from './webgpu/software.test.kit.js';

/** One column of the matrix. */
interface Column {
  readonly name: string;
  readonly tolerance: number;
  /** Why it cannot run here. */
  readonly missing?: string;
  compile(graph: Graph): Promise<Executable>;
}

const oneDnn: OneDnnRuntime | string = await openOneDnn().catch((error: Error) => error.message);
useSoftwareWhereNeeded();
const webGpu: WebGpuRuntime | string = await openWebGpu().catch((error: Error) => error.message);

/** bfloat16 keeps 8 bits: 2⁻⁹ a rounding, and inputs, weights and results are rounded. */
const columns: readonly Column[] = [
  { name: 'onnx', tolerance: 1e-4, compile: (graph) => onnxRuntime.compile(graph, { threads: 2 }) },
  oneDnnColumn('onednn float32', 'float32', 1e-4, 4096),
  oneDnnColumn('onednn float32, nothing in TypeScript', 'float32', 1e-4, 0),
  oneDnnColumn('onednn bfloat16', 'bfloat16', 2e-2, 0),
  webGpuColumn('webgpu', webGpu),
];

function webGpuColumn(name: string, runtime: WebGpuRuntime | string): Column {
  if (typeof runtime === 'string')
    return { name, tolerance: 1e-4, missing: runtime, compile: () => Promise.reject(new Error(runtime)) };
  return { name, tolerance: 1e-4, compile: (graph) => runtime.compile(graph) };
}

function oneDnnColumn(name: string, precision: Precision, tolerance: number, smallElements: number): Column {
  if (typeof oneDnn === 'string')
    return { name, tolerance, missing: oneDnn, compile: () => Promise.reject(new Error(oneDnn)) };
  const missing = precision === 'bfloat16' && oneDnn.precision !== 'bfloat16' ? 'no bfloat16 in hardware' : undefined;
  return {
    name,
    tolerance,
    ...(missing === undefined ? {} : { missing }),
    compile: (graph) => oneDnn.compile(graph, { threads: 2, precision, smallElements }),
  };
}

/** Float32 or uint8 data, so that both sides start from the same numbers. */
function dataOf({ shape, kind, classes = 0 }: Source, seed: number): Float32Array | Uint8Array {
  let state = seed * 7919 + 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  const count = elementCount(shape);
  for (let i = 0; i < 8; i++) random();
  if (kind === 'labels')
    return Uint8Array.from({ length: count }, () => (random() < 0.1 ? 255 : Math.floor(random() * classes)));
  if (kind === 'positive') return Float32Array.from({ length: count }, () => 0.5 + random());
  // Few distinct values: maxima with ties, as behind a ReLU.
  if (kind === 'ties') return Float32Array.from({ length: count }, () => Math.max(0, Math.floor(random() * 5) - 2));
  return Float32Array.from({ length: count }, () => 2 * random() - 1);
}

function buildCase(op: string, { sources, attributes, build }: Case): Graph {
  const graph = new Graph();
  const nodes = sources.map(({ shape, kind }, i) =>
    graph.input(`x${i}`, shape, kind === 'labels' ? 'uint8' : 'float32'),
  );
  const made = build ? build(graph, nodes) : graph.apply(op, nodes, attributes);
  const list: readonly GraphNode[] = Array.isArray(made) ? made : [made as GraphNode];
  list.forEach((node, i) => {
    graph.output(`y${i}`, node);
  });
  return graph;
}

async function check(column: Column, op: string, one: Case): Promise<void> {
  const graph = buildCase(op, one);
  const inputs = Object.fromEntries(one.sources.map((source, i) => [`x${i}`, dataOf(source, i + 1)]));
  const expected = runReference(graph, new Map(Object.entries(inputs)));
  const executable = await column.compile(graph);
  try {
    const actual = await executable.run(inputs);
    expect(Object.keys(actual).sort()).toEqual([...expected.keys()].sort());
    for (const [name, { data, shape }] of expected) compare(actual[name], { data, shape }, column.tolerance);
  } finally {
    await executable.dispose();
  }
}

function compare(
  actual: Float32Array,
  { data: expected, shape }: { data: Float64Array; shape: Shape },
  tolerance: number,
): void {
  expect(actual).toHaveLength(expected.length);
  let [largest, worst, where] = [0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    const error = Math.abs(actual[i] - expected[i]);
    // Written so that NaN counts as an error.
    if (!(error <= worst)) [worst, where] = [Number.isNaN(error) ? Infinity : error, i];
  }
  expect(largest, 'a result that is 0 everywhere checks nothing').toBeGreaterThan(0);
  const message = `[${shape}] at ${where}: ${actual[where]}, expected ${expected[where]}; the largest is ${largest}`;
  expect(worst / largest, message).toBeLessThanOrEqual(tolerance);
}

const titleOf = ({ note, sources, attributes }: Case): string =>
  `${note ?? ''} ${sources.map(({ shape }) => `[${shape}]`).join(' ')} ${attributes ? JSON.stringify(attributes) : ''}`.trim();

describe('coverage', () => {
  it('each operation of the registry has a case, and each case an operation', () => {
    expect(Object.keys(cases).sort()).toEqual([...operations.keys()].sort());
  });

  it('each case table has a case, with one sample and with two where there are samples', () => {
    for (const [op, list] of Object.entries(cases)) {
      const images = list.flatMap(({ sources }) => sources.filter(({ shape }) => shape.length === 5).slice(0, 1));
      expect(list.length, op).toBeGreaterThan(0);
      if (images.length === 0) continue;
      for (const batch of [1, 2])
        expect(
          images.some(({ shape }) => shape[0] === batch),
          `${op} N=${batch}`,
        ).toBe(true);
    }
  });

  it.each([
    ['onnx', loweredOperations],
    ['onednn', oneDnnOperations],
    ['webgpu', webGpuOperations],
  ] as const)('the %s runtime lowers each operation', (_name, list) => {
    expect(list.filter((op) => op !== 'constant').sort()).toEqual([...operations.keys()].sort());
  });
});

describe('weight gradient', () => {
  it('is a Loop on large grids, and only there', () => {
    const looped = cases.conv3dWeightGradient.map((one) => {
      const { nodes } = lowerToOnnx(buildCase('conv3dWeightGradient', one));
      return { title: titleOf(one), loop: nodes.some(({ op }) => op === 'Loop') };
    });
    const large = cases.conv3dWeightGradient.filter(({ sources: [x] }) => elementCount(x.shape.slice(3)) > 10_000);
    expect(large).toHaveLength(5);
    expect(looped.filter(({ loop }) => loop).map(({ title }) => title)).toEqual(large.map(titleOf));
  });
});

describe.each(columns)('$name', (column) => {
  const why = column.missing === undefined ? '' : ` (skipped: ${column.missing})`;
  for (const [op, list] of Object.entries({ ...cases, ...composites })) {
    describe(`${op}${why}`, () => {
      for (const one of list) it.skipIf(column.missing !== undefined)(titleOf(one), () => check(column, op, one));
    });
  }
});
