/**
 * Gradient of a convolution for its weights: dw[o, i, k] = Σ_{n,p} dy[n, o, p] · x[n, i, p·stride + k − pad].
 *
 * The sum over voxels is long and the result small, so it is split: a workgroup takes a slab of the voxels, some output
 * blocks, one input block and the taps of one (kz, ky) or of a whole kz; its invocations take the slab's voxels in turn
 * (neighbours read neighbours). Sums are joined in a fixed order, first within the workgroup where that is
 * cheap, then over slabs by a second pass: the same result in every run, without float atomics.
 */
import type { GpuTensor, Kernel } from '../kernels/kernel.js';
import { Shader } from '../kernels/shader.js';
import { axis, evenGroups, type Geometry, guarded, inputBlocks, outputBlocks, tapsOf, times } from './geometry.js';
import type { ConvolutionContext, GradientTile } from './tile-types.js';

/** Accumulators that are joined at a time, by `lanes` invocations. */
const joined = 8;
/** Bytes of partial sums that are worth their memory. */
const mostPartials = 2 ** 26;

export interface GradientOperands {
  readonly x: GpuTensor;
  readonly dy: GpuTensor;
  readonly dw: GpuTensor;
}

interface Split {
  /** Output blocks of an invocation, and how many such groups there are. */
  readonly size: number;
  readonly groups: number;
  readonly combinations: number;
  readonly units: number;
  readonly slabs: number;
  /** vec4 of one set of partial sums. */
  readonly sums: number;
}

function split(g: Geometry, { columns, blocks, lanes, wholePlane, join, workgroups }: GradientTile): Split {
  const { size, groups } = evenGroups(outputBlocks(g), blocks);
  const combinations = groups * inputBlocks(g) * g.kernel[0] * (wholePlane ? 1 : g.kernel[1]);
  const units = g.batch * g.to[0] * g.to[1] * Math.ceil(g.to[2] / columns);
  const sums = size * groups * inputBlocks(g) * tapsOf(g) * 4;
  const most = Math.max(1, Math.floor(mostPartials / (sums * 16 * (join ? 1 : lanes))));
  // Joining within a workgroup costs as much as some units: each invocation should have several.
  const worth = Math.max(1, Math.floor(units / (lanes * (join ? 8 : 1))));
  const slabs = Math.min(Math.max(1, Math.ceil(workgroups / combinations)), worth, most);
  return { size, groups, combinations, units, slabs, sums };
}

export function weightGradientKernels(
  context: ConvolutionContext,
  operands: GradientOperands,
  { g, tile }: { g: Geometry; tile: GradientTile },
): Kernel[] {
  const parts = split(g, tile);
  const sets = parts.slabs * (tile.join ? 1 : tile.lanes);
  const partials = context.scratch([sets * parts.sums * 4], 'plain');
  return [
    partialSums(context, { ...operands, partials }, { g, tile, parts }),
    joinSums(context, { partials, dw: operands.dw }, { g, parts, sets }),
  ];
}

function partialSums(
  { limits }: ConvolutionContext,
  { x, dy, partials }: { x: GpuTensor; dy: GpuTensor; partials: GpuTensor },
  { g, tile, parts }: { g: Geometry; tile: GradientTile; parts: Split },
): Kernel {
  const { columns, lanes, wholePlane, join } = tile;
  const { size: blocks, groups, combinations, units, slabs, sums } = parts;
  const [kd, kh, kw] = g.kernel;
  const [depth, height, width] = g.from;
  const [outDepth, outHeight, outWidth] = g.to;
  const { stride, pad } = g;
  const inBlocks = inputBlocks(g);
  const outBlocks = outputBlocks(g);
  const rows = wholePlane ? kh : 1;
  const across = Math.ceil(outWidth / columns);
  const whole = outWidth % columns === 0;
  const stored = Math.min(g.inputs, 4);
  const perSlab = Math.ceil(units / slabs);
  const cols = axis('c', (columns - 1) * stride + kw, {
    at: `tx * ${stride} - ${pad[2]}`,
    size: width,
    sure: (i) => whole && i >= pad[2] && i < pad[2] + columns * stride,
  });
  const named: { name: string; at: number }[] = [];
  const accumulate = times(rows, (r) => {
    const row = axis(`y${r}_`, 1, {
      at: `ty * ${stride} + ${wholePlane ? r : 'ky'} - ${pad[1]}`,
      size: height,
      sure: () => pad[1] === 0,
    });
    const loads = cols.inside.map((inside, c) => `let x${c} = ${guarded(`x(u32(p + c${c}))`, row.inside[0], inside)};`);
    const sumsOfRow = times(blocks, (o) =>
      times(kw, (t) =>
        times(stored, (i) => {
          const name = `a${o}_${r}_${t}_${i}`;
          named.push({ name, at: (o * inBlocks * tapsOf(g) + r * kw + t) * 4 + i });
          const terms = times(columns, (c) => `x${c * stride + t}.${'xyzw'[i]} * d${o}_${c}`);
          return `${name} += ${terms.join(' + ')};`;
        }),
      ).flat(),
    ).flat();
    return ['{', row.code, `let p = (plane + y${r}_0) * ${width};`, ...loads, ...sumsOfRow, '}'];
  }).flat();
  const outputs = times(blocks, (o) => [
    `let r${o} = ((n * ${outBlocks} + min(block * ${blocks} + ${o}, ${outBlocks - 1})) * ${outDepth * outHeight} + tz * ${outHeight} + ty) * ${outWidth} + tx;`,
    ...times(columns, (c) =>
      whole || c === 0
        ? `let d${o}_${c} = dy(u32(r${o} + ${c}));`
        : `let d${o}_${c} = select(vec4f(), dy(u32(r${o} + min(${c}, ${outWidth - 1} - tx))), tx + ${c} < ${outWidth});`,
    ),
  ]).flat();
  const shader = new Shader('conv3dWeightGradient')
    .read('x', x)
    .read('dy', dy)
    .write('partial', partials, { vec4: true });
  if (join) shader.add(`var<workgroup> joining: array<vec4f, ${joined * lanes}>;`);
  return shader.build({
    limits,
    workgroupSize: lanes,
    workgroups: combinations * slabs,
    body: `let slab = group / ${combinations}u;
  let kz = i32(group % ${kd}u);
  let ky = ${wholePlane ? '0' : `i32(group / ${kd}u % ${kh}u)`};
  let g = i32(group / ${kd * (wholePlane ? 1 : kh)}u % ${inBlocks}u);
  let block = i32(group / ${kd * (wholePlane ? 1 : kh) * inBlocks}u % ${groups}u);
  ${named.map(({ name }) => `var ${name} = vec4f();`).join(' ')}
  let end = min((slab + 1u) * ${perSlab}u, ${units}u);
  for (var unit = slab * ${perSlab}u + lane; unit < end; unit += ${lanes}u) {
    let tx = i32(unit % ${across}u) * ${columns};
    let ty = i32(unit / ${across}u % ${outHeight}u);
    let tz = i32(unit / ${across * outHeight}u % ${outDepth}u);
    let n = i32(unit / ${across * outHeight * outDepth}u);
    let z = tz * ${stride} + kz - ${pad[0]};
    ${pad[0] > 0 ? `if (z < 0 || z >= ${depth}) { continue; }` : ''}
    let plane = ((n * ${inBlocks} + g) * ${depth} + z) * ${height};
    ${[...outputs, cols.code, ...accumulate].join('\n    ')}
  }
  let base = u32(((block * ${blocks * inBlocks} + g) * ${kd} + kz) * ${kh} + ky) * ${kw * 4}u;
  ${join ? joinInGroup(named, { lanes, sums }) : named.map(({ name, at }) => `partial_set((slab * ${lanes}u + lane) * ${sums}u + base + ${at}u, ${name});`).join('\n  ')}`,
  });
}

/** Sums over the workgroup: `joined` accumulators at a time, each by `lanes / joined` invocations, then by one. */
function joinInGroup(
  named: readonly { readonly name: string; readonly at: number }[],
  { lanes, sums }: { lanes: number; sums: number },
): string {
  const share = lanes / joined;
  return times(Math.ceil(named.length / joined), (chunk) => {
    const some = named.slice(chunk * joined, (chunk + 1) * joined);
    return `{
  ${some.map(({ name }, q) => `joining[${q * lanes}u + lane] = ${name};`).join(' ')}
  workgroupBarrier();
  var sum = vec4f();
  for (var j = 0u; j < ${joined}u; j++) { sum += joining[lane / ${share}u * ${lanes}u + lane % ${share}u * ${joined}u + j]; }
  workgroupBarrier();
  joining[lane] = sum;
  workgroupBarrier();
  if (lane < ${some.length}u) {
    var total = vec4f();
    for (var j = 0u; j < ${share}u; j++) { total += joining[lane * ${share}u + j]; }
    var to = array<u32, ${some.length}>(${some.map(({ at }) => `${at}u`).join(', ')});
    partial_set(slab * ${sums}u + base + to[lane], total);
  }
  workgroupBarrier();
  }`;
  }).join('\n  ');
}

function joinSums(
  { limits }: ConvolutionContext,
  { partials, dw }: { partials: GpuTensor; dw: GpuTensor },
  { g, parts, sets }: { g: Geometry; parts: Split; sets: number },
): Kernel {
  const taps = tapsOf(g);
  const inBlocks = inputBlocks(g);
  const set = times(
    4,
    (c) =>
      `if (co + ${c}u < ${g.outputs}u) { dw_set(((co + ${c}u) * ${g.inputs}u + ci) * ${taps}u + tap, sum.${'xyzw'[c]}); }`,
  );
  return new Shader('conv3dWeightGradient join')
    .read('partial', partials, { vec4: true })
    .write('dw', dw)
    .buildEach({
      limits,
      count: parts.sums,
      body: `let tap = i / 4u % ${taps}u;
  let ci = i / ${4 * taps}u % ${inBlocks}u * 4u + i % 4u;
  let co = i / ${4 * taps * inBlocks}u * 4u;
  if (ci >= ${g.inputs}u) { return; }
  var sum = vec4f();
  for (var s = 0u; s < ${sets}u; s++) { sum += partial(s * ${parts.sums}u + i); }
  ${set.join('\n  ')}`,
    });
}
