/**
 * Convolution by register tiles: an invocation computes `rows` × `columns` voxels of `blocks` × 4 channels.
 *
 * Nothing is shared between invocations, so there is no barrier; a value of x that is read serves all taps along the row
 * and all outputs. It runs for every kernel, stride and grid, and is what a processor that plays graphics card does
 * best: there a read costs about 40 cycles and a multiply-add 3, whatever the reads hit. Sums are long
 * expressions, one for all taps of an accumulator.
 */
import type { GpuTensor, Kernel } from '../kernels/kernel.js';
import { Shader } from '../kernels/shader.js';
import {
  axis,
  evenGroups,
  type Geometry,
  guarded,
  inputBlocks,
  outputBlocks,
  product,
  tapsOf,
  times,
  weightsOf,
} from './geometry.js';
import type { ConvolutionContext, DirectTile } from './tile-types.js';

export interface TileOperands {
  readonly label: string;
  readonly x: GpuTensor;
  /** From `packWeights`, with at least `evenGroups(output blocks, tile.blocks)` whole groups. */
  readonly packed: GpuTensor;
  readonly y: GpuTensor;
}

/** Workgroups of `directKernel`. */
export function directGroups(g: Geometry, { rows, columns, blocks, lanes }: DirectTile): number {
  const tiles = g.to[0] * Math.ceil(g.to[1] / rows) * Math.ceil(g.to[2] / columns);
  return g.batch * evenGroups(outputBlocks(g), blocks).groups * Math.ceil(tiles / lanes);
}

export function directKernel(
  { limits }: ConvolutionContext,
  { label, x, packed, y }: TileOperands,
  { g, tile }: { g: Geometry; tile: DirectTile },
): Kernel {
  const { rows, columns, lanes } = tile;
  const { size: blocks, groups } = evenGroups(outputBlocks(g), tile.blocks);
  const [kd, kh, kw] = g.kernel;
  const [depth, height, width] = g.from;
  const { stride, pad } = g;
  const across = Math.ceil(g.to[2] / columns);
  const down = Math.ceil(g.to[1] / rows);
  const tiles = g.to[0] * down * across;
  const spatial = Math.ceil(tiles / lanes);
  const inBlocks = inputBlocks(g);
  const outBlocks = outputBlocks(g);
  const wholeColumns = g.to[2] % columns === 0;
  const wholeRows = g.to[1] % rows === 0;
  const stored = Math.min(g.inputs, 4);

  const cols = axis('c', (columns - 1) * stride + kw, {
    at: `tx * ${stride} - ${pad[2]}`,
    size: width,
    sure: (i) => wholeColumns && i >= pad[2] && i < pad[2] + columns * stride,
  });
  const lines = times(rows, (r) =>
    axis(`y${r}_`, 1, {
      at: `(ty + ${r}) * ${stride} + ky - ${pad[1]}`,
      size: height,
      sure: () => wholeRows && pad[1] === 0,
    }),
  );
  const loads = times(rows, (r) => [
    lines[r].code,
    `let p${r} = plane + y${r}_0 * ${width};`,
    ...cols.inside.map(
      (inside, c) => `let x${r}_${c} = ${guarded(`x(u32(p${r} + c${c}))`, lines[r].inside[0], inside)};`,
    ),
  ]).flat();
  const taps = tapsOf(g);
  const multiply = times(blocks, (o) => [
    '{',
    ...times(kw, (t) => weightsOf(`m${t}`, `wi + ${o * inBlocks * taps * 4 + t * 4}u`, stored)),
    ...times(rows, (r) =>
      times(columns, (c) => {
        const terms = times(kw, (t) => product(`m${t}`, `x${r}_${c * stride + t}`, stored));
        return `a${r}_${c}_${o} += ${terms.join(' + ')};`;
      }),
    ).flat(),
    '}',
  ]).flat();
  const stores = times(rows, (r) =>
    times(columns, (c) => {
      const tests = [
        ...(wholeRows || r === 0 ? [] : [`ty + ${r} < ${g.to[1]}`]),
        ...(wholeColumns || c === 0 ? [] : [`tx + ${c} < ${g.to[2]}`]),
      ];
      const set = times(blocks, (o) => {
        const one = `y_set(u32(base + ${o * g.to[0] * g.to[1] * g.to[2] + r * g.to[2] + c}), a${r}_${c}_${o});`;
        return outBlocks % blocks !== 0 && o > 0 ? `if (block * ${blocks} + ${o} < ${outBlocks}) { ${one} }` : one;
      }).join(' ');
      return tests.length > 0 ? `if (${tests.join(' && ')}) { ${set} }` : set;
    }),
  ).flat();
  return new Shader(label)
    .read('x', x)
    .read('w', packed, { vec4: true })
    .write('y', y)
    .build({
      limits,
      workgroupSize: lanes,
      workgroups: g.batch * groups * spatial,
      body: `let tile = (group % ${spatial}u) * ${lanes}u + lane;
  if (tile >= ${tiles}u) { return; }
  let block = i32(group / ${spatial}u % ${groups}u);
  let n = i32(group / ${spatial * groups}u);
  let tx = i32(tile % ${across}u) * ${columns};
  let ty = i32(tile / ${across}u % ${down}u) * ${rows};
  let tz = i32(tile / ${across * down}u);
${times(rows, (r) => times(columns, (c) => times(blocks, (o) => `var a${r}_${c}_${o} = vec4f();`).join(' ')))
  .flat()
  .join('\n')}
${cols.code}
  for (var g = 0; g < ${inBlocks}; g++) {
  for (var kz = 0; kz < ${kd}; kz++) {
  let z = tz * ${stride} + kz - ${pad[0]};
  ${pad[0] > 0 ? `if (z < 0 || z >= ${depth}) { continue; }` : ''}
  let plane = ((n * ${inBlocks} + g) * ${depth} + z) * ${height * width};
  for (var ky = 0; ky < ${kh}; ky++) {
  let wi = u32((((block * ${blocks * inBlocks} + g) * ${kd} + kz) * ${kh} + ky) * ${kw * 4});
${[...loads, ...multiply].join('\n')}
  } } }
  let base = ((n * ${outBlocks} + block * ${blocks}) * ${g.to[0]} + tz) * ${g.to[1] * g.to[2]} + ty * ${g.to[2]} + tx;
${stores.join('\n')}`,
    });
}
