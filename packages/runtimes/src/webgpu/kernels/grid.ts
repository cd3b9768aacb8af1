/**
 * Passes that change the grid of blocked images: pooling, resizing, and their gradients.
 *
 * The gradient of resizing gathers along one axis after the other: what one coarse voxel gets from all fine ones in one
 * go is (2·factor)³ reads by few invocations. Pooling finds each block's first maximum in scan order again.
 */
import { elementCount, type OperationNode, type Shape } from '@quickcolumn/graph';
import { blockedSizes } from './convert.js';
import type { GpuTensor, Kernel, KernelContext } from './kernel.js';
import { Shader } from './shader.js';

/** Code that computes the vec4 index of voxel k (0…7) of the 2×2×2 block of the coarse voxel i. */
function blockOf([, , depth, height, width]: Shape): { prepare: string; index: (k: number) => string } {
  const [d, h, w] = [depth / 2, height / 2, width / 2];
  return {
    prepare: `let corner = ((i / ${d * h * w}u * ${depth}u + (i / ${h * w}u) % ${d}u * 2u) * ${height}u
    + (i / ${w}u) % ${h}u * 2u) * ${width}u + (i % ${w}u) * 2u;`,
    index: (k) => `corner + ${((k >> 2) * height + ((k >> 1) & 1)) * width + (k & 1)}u`,
  };
}

export function maxPool({ limits }: KernelContext, x: GpuTensor, y: GpuTensor): Kernel {
  const { prepare, index } = blockOf(x.shape);
  const rest = [1, 2, 3, 4, 5, 6, 7].map((k) => `best = max(best, x(${index(k)}));`).join(' ');
  const body = `${prepare} var best = x(${index(0)}); ${rest} y_set(i, best);`;
  return new Shader('maxPool')
    .read('x', x)
    .write('y', y)
    .buildEach({ limits, count: blockedSizes(y.shape).count, body });
}

export function maxPoolGradient(
  { limits }: KernelContext,
  { dy, x, dx }: { dy: GpuTensor; x: GpuTensor; dx: GpuTensor },
): Kernel {
  const { prepare, index } = blockOf(x.shape);
  const all = [0, 1, 2, 3, 4, 5, 6, 7];
  const find = all.slice(1).map(
    (k) => `{ let value = x(${index(k)}); let more = value > best; best = select(best, value, more);
    found = select(found, vec4u(${k}u), more); }`,
  );
  const put = all.map((k) => `dx_set(${index(k)}, select(vec4f(), gradient, found == vec4u(${k}u)));`);
  return new Shader('maxPoolGradient')
    .read('dy', dy)
    .read('x', x)
    .write('dx', dx)
    .buildEach({
      limits,
      count: blockedSizes(dy.shape).count,
      body: `${prepare} let gradient = dy(i); var best = x(${index(0)}); var found = vec4u(0u);
  ${find.join('\n  ')}\n  ${put.join('\n  ')}`,
    });
}

/** Position of fine voxel o on the coarse axis: lower voxel, upper voxel, share of the upper one. */
const position = `fn place(o: u32, factor: f32, size: u32) -> vec3f {
  let at = clamp((f32(o) + 0.5) / factor - 0.5, 0.0, f32(size - 1u));
  let low = floor(at);
  return vec3f(low, min(low + 1.0, f32(size - 1u)), at - low);
}`;

export function resize({ limits }: KernelContext, node: OperationNode<'resize'>, x: GpuTensor, y: GpuTensor): Kernel {
  const { factor, mode } = node.attributes;
  const [d, h, w] = x.shape.slice(2);
  const [fd, fh, fw] = y.shape.slice(2);
  const split = `let e = i % ${fw}u; let r = (i / ${fw}u) % ${fh}u; let z = (i / ${fh * fw}u) % ${fd}u;
  let plane = i / ${fd * fh * fw}u;`;
  const shader = new Shader('resize').read('x', x).write('y', y);
  const count = blockedSizes(y.shape).count;
  const at = (zz: string, rr: string, ee: string): string =>
    `x(((plane * ${d}u + ${zz}) * ${h}u + ${rr}) * ${w}u + ${ee})`;
  if (mode === 'nearest') {
    const body = `${split} y_set(i, ${at(`z / ${factor}u`, `r / ${factor}u`, `e / ${factor}u`)});`;
    return shader.buildEach({ limits, count, body });
  }
  const line = (zz: string, rr: string): string => `mix(${at(zz, rr, 'u32(pe.x)')}, ${at(zz, rr, 'u32(pe.y)')}, pe.z)`;
  const plane = (zz: string): string => `mix(${line(zz, 'u32(pr.x)')}, ${line(zz, 'u32(pr.y)')}, pr.z)`;
  const body = `${split}
  let pz = place(z, ${factor}.0, ${d}u); let pr = place(r, ${factor}.0, ${h}u); let pe = place(e, ${factor}.0, ${w}u);
  y_set(i, mix(${plane('u32(pz.x)')}, ${plane('u32(pz.y)')}, pz.z));`;
  return shader.add(position).buildEach({ limits, count, body });
}

export function resizeGradient(
  context: KernelContext,
  node: OperationNode<'resizeGradient'>,
  dy: GpuTensor,
  dx: GpuTensor,
): Kernel[] {
  const { factor, mode } = node.attributes;
  const shape = [...dy.shape];
  const kernels: Kernel[] = [];
  let from = dy;
  // The innermost axis first, so that the largest tensor is read once and along its lines.
  for (const axis of [4, 3, 2]) {
    shape[axis] /= factor;
    const to = axis === 2 ? dx : context.scratch([...shape], 'blocked');
    kernels.push(gather(context, { from, to, axis, factor, nearest: mode === 'nearest' }));
    from = to;
  }
  return kernels;
}

function gather(
  { limits }: KernelContext,
  {
    from,
    to,
    axis,
    factor,
    nearest,
  }: { from: GpuTensor; to: GpuTensor; axis: number; factor: number; nearest: boolean },
): Kernel {
  const inner = elementCount(to.shape.slice(axis + 1));
  const size = to.shape[axis];
  const first = nearest ? `k * ${factor}u` : `${factor}u * max(k, 1u) - ${factor}u`;
  const last = nearest ? `(k + 1u) * ${factor}u` : `min((k + 2u) * ${factor}u, ${size * factor}u)`;
  const weight = nearest
    ? ''
    : `let p = place(o, ${factor}.0, ${size}u); let at = f32(k);
    let weight = select(0.0, 1.0 - p.z, p.x == at) + select(0.0, p.z, p.y == at);`;
  const shader = new Shader('resizeGradient').read('x', from).write('y', to);
  if (!nearest) shader.add(position);
  return shader.buildEach({
    limits,
    count: blockedSizes(to.shape).count,
    body: `let inside = i % ${inner}u; let k = (i / ${inner}u) % ${size}u; let outer = i / ${inner * size}u;
  var sum = vec4f();
  for (var o = ${first}; o < ${last}; o = o + 1u) {
    ${weight}
    sum = sum + x((outer * ${size * factor}u + o) * ${inner}u + inside)${nearest ? '' : ' * weight'};
  }
  y_set(i, sum);`,
  });
}
