/**
 * Transposed convolution whose kernel equals its stride: y[o, p·s + k] = Σ_i x[i, p] · w[i, o, k].
 *
 * Every voxel of y has one term per input: a matrix product whose results are scattered. An invocation takes `columns`
 * voxels of a row of x and computes, for one (kz, ky), the s·columns neighbouring voxels of y that they make, in
 * `blocks` × 4 channels. Its gradients are conv3d with that stride and conv3dWeightGradient.
 */
import type { Kernel } from '../kernels/kernel.js';
import { Shader } from '../kernels/shader.js';
import type { TileOperands } from './direct.js';
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
import type { ConvolutionContext, TransposedTile } from './tile-types.js';

/** Workgroups of `transposedKernel`. `from` is the grid of x, `to` that of y. */
export function transposedGroups(g: Geometry, { columns, blocks, lanes }: TransposedTile): number {
  const tiles = g.from[0] * g.from[1] * Math.ceil(g.from[2] / columns);
  return g.batch * evenGroups(outputBlocks(g), blocks).groups * g.stride ** 2 * Math.ceil(tiles / lanes);
}

export function transposedKernel(
  { limits }: ConvolutionContext,
  { label, x, packed, y }: TileOperands,
  { g, tile }: { g: Geometry; tile: TransposedTile },
): Kernel {
  const { columns, lanes } = tile;
  const { stride } = g;
  const outBlocks = outputBlocks(g);
  const inBlocks = inputBlocks(g);
  const { size: blocks, groups } = evenGroups(outBlocks, tile.blocks);
  const [depth, height, width] = g.from;
  const across = Math.ceil(width / columns);
  const tiles = depth * height * across;
  const spatial = Math.ceil(tiles / lanes);
  const taps = tapsOf(g);
  const stored = Math.min(g.inputs, 4);
  const whole = width % columns === 0;
  const cols = axis('c', columns, { at: 'tx', size: width, sure: (i) => whole || i === 0 });
  const multiply = times(blocks, (o) =>
    times(stride, (t) => [
      '{',
      weightsOf('m', `wi + ${(o * inBlocks * taps + t) * 4}u`, stored),
      ...times(columns, (c) => `a${c}_${t}_${o} += ${product('m', `x${c}`, stored)};`),
      '}',
    ]).flat(),
  ).flat();
  const stores = times(columns, (c) => {
    const set = times(blocks, (o) => {
      const each = times(stride, (t) => {
        const offset = o * g.to[0] * g.to[1] * g.to[2] + c * stride + t;
        return `y_set(u32(base + ${offset}), a${c}_${t}_${o});`;
      }).join(' ');
      return outBlocks % blocks !== 0 && o > 0 ? `if (block * ${blocks} + ${o} < ${outBlocks}) { ${each} }` : each;
    }).join(' ');
    return whole || c === 0 ? set : `if (tx + ${c} < ${width}) { ${set} }`;
  });
  return new Shader(label)
    .read('x', x)
    .read('w', packed, { vec4: true })
    .write('y', y)
    .build({
      limits,
      workgroupSize: lanes,
      workgroups: g.batch * groups * stride * stride * spatial,
      body: `let tile = (group % ${spatial}u) * ${lanes}u + lane;
  if (tile >= ${tiles}u) { return; }
  let tap = i32(group / ${spatial}u % ${stride * stride}u);
  let block = i32(group / ${spatial * stride * stride}u % ${groups}u);
  let n = i32(group / ${spatial * stride * stride * groups}u);
  let tx = i32(tile % ${across}u) * ${columns};
  let ty = i32(tile / ${across}u % ${height}u);
  let tz = i32(tile / ${across * height}u);
  ${times(columns, (c) => times(stride, (t) => times(blocks, (o) => `var a${c}_${t}_${o} = vec4f();`).join(' ')).join(' ')).join('\n  ')}
${cols.code}
  for (var g = 0; g < ${inBlocks}; g++) {
    let row = (((n * ${inBlocks} + g) * ${depth} + tz) * ${height} + ty) * ${width};
    let wi = u32(((block * ${blocks * inBlocks} + g) * ${taps} + tap * ${stride}) * 4);
    ${cols.inside.map((inside, c) => `let x${c} = ${guarded(`x(u32(row + c${c}))`, inside)};`).join('\n    ')}
${multiply.join('\n')}
  }
  let oz = tz * ${stride} + tap / ${stride};
  let oy = ty * ${stride} + tap % ${stride};
  let base = (((n * ${outBlocks} + block * ${blocks}) * ${g.to[0]} + oz) * ${g.to[1]} + oy) * ${g.to[2]} + tx * ${stride};
${stores.join('\n')}`,
    });
}
