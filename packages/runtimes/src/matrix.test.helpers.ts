/**
 * One case of the operation × runtime matrix: its graph, its data, and the comparison with the float64 reference. Nothing
 * here needs Node or vitest, because pages of browsers run it, too (packages/browser).
 */
import {
  type AttributesOf,
  elementCount,
  Graph,
  type GraphNode,
  type OperationName,
  runReference,
  type Shape,
} from '@quickcolumn/graph';
import { type Case, cases, composites, type Source } from './matrix.test.cases.js';
import type { Executable, Runtime } from './contract/runtime.js';

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

export function buildCase(op: string, { sources, attributes, build }: Case): Graph {
  const graph = new Graph();
  const nodes = sources.map(({ shape, kind }, i) =>
    graph.input(`x${i}`, shape, kind === 'labels' ? 'uint8' : 'float32'),
  );
  // The tables hold together name, inputs and attributes; walking over them loses that, and `apply` checks again.
  const applied = (): GraphNode => graph.apply(op as OperationName, nodes, attributes as AttributesOf<OperationName>);
  const made = build ? build(graph, nodes) : applied();
  const list: readonly GraphNode[] = Array.isArray(made) ? made : [made as GraphNode];
  list.forEach((node, i) => {
    graph.output(`y${i}`, node);
  });
  return graph;
}

/** Throws an Error that says where, unless every output is within the tolerance, relative to its largest value. */
export async function checkCase(
  compile: (graph: Graph) => Promise<Executable>,
  tolerance: number,
  op: string,
  one: Case,
): Promise<void> {
  const graph = buildCase(op, one);
  const inputs = Object.fromEntries(one.sources.map((source, i) => [`x${i}`, dataOf(source, i + 1)]));
  const expected = runReference(graph, new Map(Object.entries(inputs)));
  const executable = await compile(graph);
  try {
    const actual = await executable.run(inputs);
    const [names, wanted] = [Object.keys(actual), [...expected.keys()]].map((list) => list.sort().join(', '));
    if (names !== wanted) throw new Error(`outputs ${names}, expected ${wanted}`);
    for (const [name, { data, shape }] of expected) compare(actual[name], { data, shape }, tolerance);
  } finally {
    await executable.dispose();
  }
}

function compare(
  actual: Float32Array,
  { data: expected, shape }: { data: Float64Array; shape: Shape },
  tolerance: number,
): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} values, expected ${expected.length}`);
  let [largest, worst, where] = [0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    const error = Math.abs(actual[i] - expected[i]);
    // Written so that NaN counts as an error.
    if (!(error <= worst)) [worst, where] = [Number.isNaN(error) ? Infinity : error, i];
  }
  if (largest === 0) throw new Error('a result that is 0 everywhere checks nothing');
  if (worst / largest <= tolerance) return;
  throw new Error(
    `[${shape.join()}] at ${where}: ${actual[where]}, expected ${expected[where]}; the largest is ${largest}`,
  );
}

export const titleOf = ({ note, sources, attributes }: Case): string =>
  `${note ?? ''} ${sources.map(({ shape }) => `[${shape}]`).join(' ')} ${attributes ? JSON.stringify(attributes) : ''}`.trim();

/** Every case of the matrix, in order, for whoever cannot import the tables. */
export const allCases: readonly { readonly op: string; readonly title: string }[] = everyCase().map(({ op, one }) => ({
  op,
  title: titleOf(one),
}));

function everyCase(): { op: string; one: Case }[] {
  return Object.entries({ ...cases, ...composites }).flatMap(([op, list]) => list.map((one) => ({ op, one })));
}

/** What is wrong with each case on this runtime, in the order of `allCases`; undefined for those that pass. */
export async function runAllCases(runtime: Runtime, tolerance: number): Promise<(string | undefined)[]> {
  const problems: (string | undefined)[] = [];
  for (const { op, one } of everyCase()) {
    problems.push(
      await checkCase((graph) => runtime.compile(graph), tolerance, op, one).then(
        () => undefined,
        (error: unknown) => String(error),
      ),
    );
  }
  return problems;
}
