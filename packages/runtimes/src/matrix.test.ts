/**
 * The operation × runtime matrix: every operation of the graph, on small odd shapes, in every runtime that runs in
 * Node, against the float64 reference. Largest error over largest expected value: at most 1e-4 in float32, 2e-2 in
 * bfloat16, 4e-3 in float16.
 */
import { elementCount, type Graph } from '@quickcolumn/graph';
import { has, type JudgedOptions, needs, useSoftwareWhereNeeded } from '@quickcolumn/testing';
import { describe, expect, it } from 'vitest';
import { lowerToOnnx } from './onnx/lower.js';
import { cases, composites } from './matrix.test.cases.js';
import { buildCase, checkCase, titleOf } from './matrix.test.helpers.js';
import { type OneDnnRuntime, openOneDnn } from './onednn/runtime.js';
import { openOnnx } from './onnx/open.js';
import type { Executable, Precision } from './contract/runtime.js';
import { openWebGpu } from './webgpu/open.js';
import type { WebGpuRuntime } from './webgpu/types.js';

/** One column of the matrix. */
interface Column {
  readonly name: string;
  readonly tolerance: number;
  readonly judged: JudgedOptions;
  /** Why it cannot run here. */
  readonly missing?: string;
  compile(graph: Graph): Promise<Executable>;
}

const onnx = await openOnnx();
const oneDnn: OneDnnRuntime | string = has('oneDNN') ? await openOneDnn() : 'no oneDNN';
useSoftwareWhereNeeded();
const webGpu: WebGpuRuntime | string = has('WebGPU') ? await openWebGpu() : 'no WebGPU';

/** bfloat16 keeps 8 bits: 2⁻⁹ a rounding, and inputs, weights and results are rounded; float16 keeps 11. */
const columns: readonly Column[] = [
  { name: 'onnx', tolerance: 1e-4, judged: needs(), compile: (graph) => onnx.compile(graph, { threads: 2 }) },
  oneDnnColumn('onednn float32', 'float32', 1e-4, 4096),
  oneDnnColumn('onednn float32, nothing in TypeScript', 'float32', 1e-4, 0),
  oneDnnColumn('onednn bfloat16', 'bfloat16', 2e-2, 0),
  webGpuColumn('webgpu', 'float32', 1e-4),
  webGpuColumn('webgpu float16', 'float16', 4e-3),
];

function webGpuColumn(name: string, precision: Precision, tolerance: number): Column {
  const judged = needs('WebGPU');
  if (typeof webGpu === 'string')
    return { name, tolerance, judged, missing: webGpu, compile: () => Promise.reject(new Error(webGpu)) };
  const missing = precision === 'float16' && !webGpu.limits.f16 ? `${webGpu.version} has no shader-f16` : undefined;
  return {
    name,
    tolerance,
    judged,
    ...(missing === undefined ? {} : { missing }),
    compile: (graph) => webGpu.compile(graph, { precision }),
  };
}

function oneDnnColumn(name: string, precision: Precision, tolerance: number, smallElements: number): Column {
  const judged = needs('oneDNN');
  if (typeof oneDnn === 'string')
    return { name, tolerance, judged, missing: oneDnn, compile: () => Promise.reject(new Error(oneDnn)) };
  const missing = precision === 'bfloat16' && oneDnn.precision !== 'bfloat16' ? 'no bfloat16 in hardware' : undefined;
  return {
    name,
    tolerance,
    judged,
    ...(missing === undefined ? {} : { missing }),
    compile: (graph) => oneDnn.compile(graph, { threads: 2, precision, smallElements }),
  };
}

describe('coverage', () => {
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
      for (const one of list)
        it.skipIf(column.missing !== undefined)(titleOf(one), column.judged, async () => {
          await expect(checkCase((graph) => column.compile(graph), column.tolerance, op, one)).resolves.toBeUndefined();
        });
    });
  }
});
