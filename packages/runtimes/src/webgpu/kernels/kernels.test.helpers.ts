/**
 * Runs kernels alone, so that each can be compared with the float64 reference.
 * What no data is given for starts as NaN: a kernel that reads what nothing wrote is seen.
 */
import { elementCount } from '@quickcolumn/graph';
import type { GpuDevice } from '../device/device.js';
import type { GpuTensor, Kernel, KernelContext } from './kernel.js';
import { makeTensor, packBlocked, storedElements, unpackBlocked } from './tensors.js';

const mapRead = 0x1;
const copySource = 0x4;
const copyDestination = 0x8;
const storage = 0x80;

/** What kernel builders get in tests. */
export const testContext = ({ limits }: GpuDevice): KernelContext => ({
  limits,
  scratch: (shape, layout) => makeTensor(shape, layout, { limits }),
});

/** Runs kernels in order; `data` and the results are C-ordered. f32 tensors and labels only. Throws on GPU errors. */
export async function runKernels(
  { device }: GpuDevice,
  kernels: readonly Kernel[],
  { data, results }: { data: ReadonlyMap<GpuTensor, ArrayLike<number>>; results: readonly GpuTensor[] },
): Promise<Float32Array[]> {
  device.pushErrorScope('validation');
  const buffers = new Map<GpuTensor, GPUBuffer[]>();
  for (const { bindings } of kernels)
    for (const { tensor } of bindings)
      if (!buffers.has(tensor)) buffers.set(tensor, upload(device, tensor, data.get(tensor)));
  const encoder = device.createCommandEncoder();
  for (const { label, code, bindings, workgroups } of kernels) {
    const module = device.createShaderModule({ code, label });
    const faults = (await module.getCompilationInfo()).messages.filter(({ type }) => type === 'error');
    if (faults.length > 0)
      throw new Error(`${label}: ${faults.map((f) => `${f.lineNum}: ${f.message}`).join('\n')}\n${code}`);
    const pipeline = await device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module, entryPoint: 'main' },
    });
    const entries = bindings.map(({ tensor, part }, binding) => ({
      binding,
      resource: { buffer: (buffers.get(tensor) as GPUBuffer[])[part] },
    }));
    const pass = encoder.beginComputePass({ label });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...workgroups);
    pass.end();
  }
  const reads = results.map((tensor) =>
    (buffers.get(tensor) ?? []).map((buffer) => {
      const copy = device.createBuffer({ size: buffer.size, usage: mapRead | copyDestination });
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
      return copy;
    }),
  );
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);
  const values: Float32Array[] = [];
  for (const [i, parts] of reads.entries()) {
    const { shape, layout } = results[i];
    const stored = new Float32Array(storedElements(shape, layout));
    let at = 0;
    for (const part of parts) {
      await part.mapAsync(mapRead);
      const piece = new Float32Array(part.getMappedRange());
      stored.set(piece, at);
      at += piece.length;
      part.destroy();
    }
    values.push(layout === 'blocked' ? unpackBlocked(stored, shape) : stored.slice(0, elementCount(shape)));
    if (layout === 'blocked') refusePadding(stored, values[i], results[i]);
  }
  for (const list of buffers.values()) for (const buffer of list) buffer.destroy();
  return values;
}

/** Channels beyond C must be 0. */
function refusePadding(stored: Float32Array, values: Float32Array, { shape }: GpuTensor): void {
  const again = packBlocked(values, shape);
  const at = stored.findIndex((value, i) => !Object.is(value, again[i]) && value !== again[i]);
  if (at >= 0) throw new Error(`padded channel of [${shape}] holds ${stored[at]} at ${at}, expected 0`);
}

function upload(device: GPUDevice, tensor: GpuTensor, values: ArrayLike<number> | undefined): GPUBuffer[] {
  const { shape, layout, storage: stored, parts } = tensor;
  const packed = stored === 'u8' ? new Uint8Array(storedElements(shape, layout)) : packedFloats(tensor, values);
  if (stored === 'u8' && values) packed.set(values);
  let at = 0;
  return parts.map((elements) => {
    const piece = packed.slice(at, at + elements);
    at += elements;
    const buffer = device.createBuffer({ size: piece.byteLength, usage: storage | copySource | copyDestination });
    device.queue.writeBuffer(buffer, 0, piece);
    return buffer;
  });
}

function packedFloats({ shape, layout }: GpuTensor, values: ArrayLike<number> | undefined): Float32Array<ArrayBuffer> {
  if (values && layout === 'blocked') return packBlocked(values, shape);
  const packed = new Float32Array(storedElements(shape, layout)).fill(values ? 0 : Number.NaN);
  if (values) packed.set(values);
  return packed;
}
