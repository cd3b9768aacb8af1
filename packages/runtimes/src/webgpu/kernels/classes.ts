/** Passes over the classes of a voxel (all blocks of one voxel): log-softmax, its gradient, and one-hot maps. */
import { blockedIndex, blockedSizes, maskChannels } from './convert.js';
import type { GpuTensor, Kernel, KernelContext } from './kernel.js';
import { Shader } from './shader.js';

interface Sizes {
  readonly n: number;
  readonly c: number;
  readonly blocks: number;
  readonly voxels: number;
}

/** One invocation for each voxel: `base` is its first block. */
const voxelIndex = ({ blocks, voxels }: Sizes): string =>
  `let base = (i / ${voxels}u) * ${blocks * voxels}u + i % ${voxels}u;`;

const loop = ({ blocks, voxels }: Sizes, code: string): string =>
  `for (var b = 0u; b < ${blocks}u; b = b + 1u) { let at = base + b * ${voxels}u; ${code} }`;

export function logSoftmax({ limits }: KernelContext, x: GpuTensor, y: GpuTensor): Kernel {
  const sizes = blockedSizes(x.shape);
  const { c, n, voxels } = sizes;
  const missing = `vec4u(0u, 1u, 2u, 3u) + b * 4u >= vec4u(${c}u)`;
  const body = `${voxelIndex(sizes)}
  var top = vec4f(-3.0e38);
  ${loop(sizes, `top = max(top, select(x(at), vec4f(-3.0e38), ${missing}));`)}
  let largest = max(max(top.x, top.y), max(top.z, top.w));
  var sum = vec4f();
  ${loop(sizes, `sum = sum + select(exp(x(at) - largest), vec4f(), ${missing});`)}
  let shift = largest + log(dot(sum, vec4f(1.0)));
  ${loop(sizes, `y_set(at, ${maskChannels('x(at) - shift', sizes)});`)}`;
  return new Shader('logSoftmax')
    .read('x', x)
    .write('y', y)
    .buildEach({ limits, count: n * voxels, body });
}

/** dx = dy − exp(y)·Σ_c dy. */
export function logSoftmaxGradient(
  { limits }: KernelContext,
  { dy, y, dx }: { dy: GpuTensor; y: GpuTensor; dx: GpuTensor },
): Kernel {
  const sizes = blockedSizes(y.shape);
  const body = `${voxelIndex(sizes)}
  var sum = vec4f();
  ${loop(sizes, 'sum = sum + dy(at);')}
  let total = dot(sum, vec4f(1.0));
  ${loop(sizes, `dx_set(at, ${maskChannels('dy(at) - exp(y(at)) * total', sizes)});`)}`;
  return new Shader('logSoftmaxGradient')
    .read('dy', dy)
    .read('y', y)
    .write('dx', dx)
    .buildEach({ limits, count: sizes.n * sizes.voxels, body });
}

export function oneHot({ limits }: KernelContext, labels: GpuTensor, y: GpuTensor): Kernel {
  const sizes = blockedSizes(y.shape);
  const same = `vec4f(vec4u(0u, 1u, 2u, 3u) + b * 4u == vec4u(labels(n * ${sizes.voxels}u + v)))`;
  return new Shader('oneHot')
    .read('labels', labels)
    .write('y', y)
    .buildEach({ limits, count: sizes.count, body: `${blockedIndex(sizes)} y_set(i, ${maskChannels(same, sizes)});` });
}
