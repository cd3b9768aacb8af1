/**
 * Convolution of stride 1 with x in workgroup memory, for real graphics cards.
 *
 * A workgroup of 8 × 8 × `layers` invocations brings four channels of its tile of x, with the border the kernel needs,
 * into workgroup memory once; each invocation then computes `planes` voxels above each other of `blocks` × 4 outputs, so
 * that one column it reads serves all taps along z. Invocations of one layer read the same weights at the same
 * time. The trap: barriers must be reached by all, so nobody leaves early; what lies outside is not stored.
 */
import type { Kernel } from '../kernels/kernel.js';
import { Shader } from '../kernels/shader.js';
import type { TileOperands } from './direct.js';
import { evenGroups, type Geometry, inputBlocks, outputBlocks, product, tapsOf, times, weightsOf } from './geometry.js';
import type { ConvolutionContext, StagedTile } from './tile-types.js';

const side = 8;

/** Bytes of workgroup memory. */
export function stagedMemory({ kernel: [kd, kh, kw] }: Geometry, { planes }: StagedTile): number {
  return (planes + kd - 1) * (side + kh - 1) * (side + kw - 1) * 16;
}

export function stagedGroups(g: Geometry, { planes, layers, blocks }: StagedTile): number {
  const tiles = Math.ceil(g.to[0] / planes) * Math.ceil(g.to[1] / side) * Math.ceil(g.to[2] / side);
  return g.batch * tiles * evenGroups(outputBlocks(g), layers * blocks).groups;
}

export function stagedKernel(
  { limits }: ConvolutionContext,
  { label, x, packed, y }: TileOperands,
  { g, tile }: { g: Geometry; tile: StagedTile },
): Kernel {
  const { planes } = tile;
  const outBlocks = outputBlocks(g);
  const perGroup = evenGroups(outBlocks, tile.layers * tile.blocks);
  const { size: blocks, groups: layers } = evenGroups(perGroup.size, tile.blocks);
  const [kd, kh, kw] = g.kernel;
  const [depth, height, width] = g.from;
  const { pad } = g;
  const inBlocks = inputBlocks(g);
  const across = Math.ceil(width / side);
  const down = Math.ceil(height / side);
  const deep = Math.ceil(depth / planes);
  const spatial = across * down * deep;
  const [px, py, pz] = [side + kw - 1, side + kh - 1, planes + kd - 1];
  const size = side * side * layers;
  const cells = px * py * pz;
  const taps = tapsOf(g);
  const stored = Math.min(g.inputs, 4);
  const accumulators = times(planes, (v) => times(blocks, (o) => `a${v}_${o}`)).flat();
  const multiply = times(blocks, (o) => [
    '{',
    ...times(kd, (t) => weightsOf(`m${t}`, `wi + ${o * inBlocks * taps * 4 + t * kh * kw * 4}u`, stored)),
    ...times(planes, (v) => {
      const terms = times(kd, (t) => product(`m${t}`, `x${v + t}`, stored));
      return `a${v}_${o} += ${terms.join(' + ')};`;
    }),
    '}',
  ]).flat();
  const stores = times(planes, (v) => {
    const set = times(blocks, (o) => {
      const at = `((n * ${outBlocks} + first + ${o}) * ${depth} + tz + ${v}) * ${height * width} + oy * ${width} + ox`;
      return `if (first + ${o} < ${outBlocks}) { y_set(u32(${at}), a${v}_${o}); }`;
    }).join(' ');
    return `if (tz + ${v} < ${depth}) { ${set} }`;
  });
  return new Shader(label)
    .read('x', x)
    .read('w', packed, { vec4: true })
    .write('y', y)
    .add(`var<workgroup> cells: array<vec4f, ${cells}>;`)
    .build({
      limits,
      workgroupSize: [side, side, layers],
      workgroups: g.batch * perGroup.groups * spatial,
      body: `let at = i32(group % ${spatial}u);
  let first = i32(group / ${spatial}u % ${perGroup.groups}u) * ${layers * blocks} + i32(local.z) * ${blocks};
  let n = i32(group / ${spatial * perGroup.groups}u);
  let tx = at % ${across} * ${side};
  let ty = at / ${across} % ${down} * ${side};
  let tz = at / ${across * down} * ${planes};
  let here = local.y * ${px}u + local.x;
  ${accumulators.map((name) => `var ${name} = vec4f();`).join(' ')}
  for (var g = 0; g < ${inBlocks}; g++) {
    if (g > 0) { workgroupBarrier(); }
    for (var e = lane; e < ${cells}u; e += ${size}u) {
      let cx = tx + i32(e % ${px}u) - ${pad[2]};
      let cy = ty + i32(e / ${px}u % ${py}u) - ${pad[1]};
      let cz = tz + i32(e / ${px * py}u) - ${pad[0]};
      var value = vec4f();
      if (cx >= 0 && cx < ${width} && cy >= 0 && cy < ${height} && cz >= 0 && cz < ${depth}) {
        value = x(u32(((n * ${inBlocks} + g) * ${depth} + cz) * ${height * width} + cy * ${width} + cx));
      }
      cells[e] = value;
    }
    workgroupBarrier();
    for (var ky = 0; ky < ${kh}; ky++) {
      for (var kx = 0; kx < ${kw}; kx++) {
        let wi = u32(((first * ${inBlocks} + g) * ${taps} + ky * ${kw} + kx) * 4);
        let cell = here + u32(ky * ${px} + kx);
        ${times(pz, (v) => `let x${v} = cells[cell + ${v * px * py}u];`).join('\n        ')}
${multiply.join('\n')}
      }
    }
  }
  let ox = tx + i32(local.x);
  let oy = ty + i32(local.y);
  if (ox < ${width} && oy < ${height}) {
${stores.join('\n')}
  }`,
    });
}
