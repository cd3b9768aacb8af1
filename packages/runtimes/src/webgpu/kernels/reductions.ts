/**
 * Sums over voxels, over samples and voxels, and over everything, in two passes of fixed order.
 *
 * A workgroup sums one stretch of one row (a block of channels of one sample) into a partial sum; the second pass adds
 * the partial sums of a row or of all samples. No atomics, so that a run repeats to the last bit. Several sums over the
 * same voxels are taken at once.
 */
import { elementCount } from '@quickcolumn/graph';
import { blockedSizes, float } from './convert.js';
import type { GpuTensor, Kernel, KernelContext } from './kernel.js';
import { Shader } from './shader.js';

/** Invocations of a workgroup, and the most workgroups for a row. Barriers are what costs a processor that plays card. */
const cardSizes = { lanes: 64, most: 1024 };
const processorSizes = { lanes: 16, most: 32 };
/** vec4 that one invocation of the first pass sums, until there are the most workgroups. */
const perLane = 16;

export interface Sum {
  /** [C] or [N, C] or []. */
  readonly output: GpuTensor;
  /** A vec4f from the index `i` of a vec4, and of its block `b`. */
  readonly value: string;
}

interface Rows {
  readonly label: string;
  /** Declares what the values read. */
  readonly declare: (shader: Shader) => Shader;
  readonly rows: number;
  /** vec4 of each row, which lie behind each other. */
  readonly length: number;
  /** Rows r, r + apart, … (`together` of them) are one sum. */
  readonly together: number;
  readonly apart: number;
  readonly blocks: number;
  /** Stores `total` of sum `s` of the rows `r`. */
  readonly store: (name: string, total: string) => string;
}

/** The value of every invocation of a workgroup, summed in fixed order; every invocation has it in `name`. */
const workgroupSum = (name: string, lanes: number): string =>
  `shared_sum[lane] = ${name}; workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half = half / 2u) {
    if (lane < half) { shared_sum[lane] = shared_sum[lane] + shared_sum[lane + half]; }
    workgroupBarrier();
  }
  let ${name}_total = shared_sum[0]; workgroupBarrier();`;

function reduce(context: KernelContext, sums: readonly Sum[], rows: Rows): Kernel[] {
  const { label, declare, length, together, apart, blocks, store } = rows;
  const { limits, software } = context;
  const { lanes, most } = software ? processorSizes : cardSizes;
  const chunks = Math.max(1, Math.min(most, Math.ceil(length / (lanes * perLane))));
  const chunk = Math.ceil(length / chunks);
  const direct = chunks === 1 && together === 1;
  const partials = direct ? [] : sums.map(() => context.scratch([rows.rows * chunks * 4], 'plain'));
  const memory = `var<workgroup> shared_sum: array<vec4f, ${lanes}>;`;
  const first = declare(new Shader(label)).add(memory);
  sums.forEach(({ output }, s) => {
    if (direct) first.write(`y${s}`, output);
    else first.write(`p${s}`, partials[s], { vec4: true });
  });
  const finish = sums.map((_sum, s) => (direct ? store(`y${s}`, `s${s}_total`) : `p${s}_set(group, s${s}_total);`));
  const kernels = [
    first.build({
      limits,
      workgroupSize: lanes,
      workgroups: rows.rows * chunks,
      body: `let r = group / ${chunks}u; let b = r % ${blocks}u;
  let begin = (group % ${chunks}u) * ${chunk}u; let end = min(begin + ${chunk}u, ${length}u);
  ${sums.map((_sum, s) => `var s${s} = vec4f();`).join(' ')}
  for (var at = begin + lane; at < end; at = at + ${lanes}u) {
    let i = r * ${length}u + at;
    ${sums.map(({ value }, s) => `s${s} = s${s} + ${value};`).join(' ')}
  }
  ${sums.map((_sum, s) => workgroupSum(`s${s}`, lanes)).join('\n  ')}
  if (lane == 0u) { ${finish.join(' ')} }`,
    }),
  ];
  if (direct) return kernels;
  sums.forEach(({ output }, s) => {
    const second = new Shader(`${label} (partial sums)`)
      .read('p', partials[s], { vec4: true })
      .write('y', output)
      .add(memory);
    kernels.push(
      second.build({
        limits,
        workgroupSize: lanes,
        workgroups: rows.rows / together,
        body: `let r = group; let b = r % ${blocks}u;
  var s = vec4f();
  for (var at = lane; at < ${together * chunks}u; at = at + ${lanes}u) {
    s = s + p((r + (at / ${chunks}u) * ${apart}u) * ${chunks}u + at % ${chunks}u);
  }
  ${workgroupSum('s', lanes)}
  if (lane == 0u) { ${store('y', 's_total')} }`,
      }),
    );
  });
  return kernels;
}

const storeLanes = (index: (lane: number) => string, c: number) => (name: string, total: string) =>
  [0, 1, 2, 3]
    .map((lane) => `if (b * 4u + ${lane}u < ${c}u) { ${name}_set(${index(lane)}, ${total}[${lane}]); }`)
    .join(' ');

/** Sums over samples and voxels: [N, C, …] → [C]. */
export function channelSums(
  context: KernelContext,
  { label, image, sums, declare }: { label: string; image: GpuTensor; sums: readonly Sum[]; declare: Rows['declare'] },
): Kernel[] {
  const { n, c, blocks, voxels } = blockedSizes(image.shape);
  return reduce(context, sums, {
    label,
    declare,
    rows: n * blocks,
    length: voxels,
    together: n,
    apart: blocks,
    blocks,
    store: storeLanes((lane) => `b * 4u + ${lane}u`, c),
  });
}

/** Sums over voxels: [N, C, …] → [N, C]. */
export function spatialSums(
  context: KernelContext,
  { label, image, sums, declare }: { label: string; image: GpuTensor; sums: readonly Sum[]; declare: Rows['declare'] },
): Kernel[] {
  const { n, c, blocks, voxels } = blockedSizes(image.shape);
  return reduce(context, sums, {
    label,
    declare,
    rows: n * blocks,
    length: voxels,
    together: 1,
    apart: 1,
    blocks,
    store: storeLanes((lane) => `(r / ${blocks}u) * ${c}u + b * 4u + ${lane}u`, c),
  });
}

/** The sum of all elements of a tensor in either layout. */
export function totalSum(context: KernelContext, x: GpuTensor, output: GpuTensor): Kernel[] {
  const count = elementCount(x.shape);
  const blocked = x.layout === 'blocked';
  const length = blocked ? blockedSizes(x.shape).count : Math.ceil(count / 4);
  // What lies behind the last element of a plain tensor is anything.
  const tail = `select(vec4f(), x(i), vec4u(0u, 1u, 2u, 3u) + i * 4u < vec4u(${count}u))`;
  return reduce(context, [{ output, value: blocked || count % 4 === 0 ? 'x(i)' : tail }], {
    label: 'sum',
    declare: (shader) => shader.read('x', x, { vec4: true }),
    rows: 1,
    length,
    together: 1,
    apart: 1,
    blocks: 1,
    store: (name, total) => `${name}_set(0u, dot(${total}, vec4f(1.0)));`,
  });
}

/** Σ(x − mean)²/M per channel. */
export function channelVariance(context: KernelContext, x: GpuTensor, mean: GpuTensor, output: GpuTensor): Kernel[] {
  const { n, c, voxels } = blockedSizes(x.shape);
  const centred = `x(i) - mean(b)`;
  const kernels = channelSums(context, {
    label: 'channelVariance',
    image: x,
    sums: [{ output, value: `(${centred}) * (${centred})` }],
    declare: (shader) => shader.read('x', x).read('mean', mean, { vec4: true }),
  });
  const scaled = new Shader('channelVariance (mean)').update('y', output);
  const body = `y_set(i, y(i) * ${float(1 / (n * voxels))});`;
  return [...kernels, scaled.buildEach({ limits: context.limits, count: c, body })];
}
