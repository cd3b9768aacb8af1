/**
 * Preloaded (`node --import`) into the program by device-loss.test.ts: opens WebGPU on the tests' driver, and loses the
 * device for good, as a driver that crashes does, two submissions after the file QUICKCOLUMN_TEST_HISTORY has a line.
 */
import { existsSync, statSync } from 'node:fs';
import { nodeGpu } from '../../runtimes/dist/webgpu/device/node.js';
import { useSoftwareWhereNeeded } from '../../runtimes/dist/webgpu/device/software.test.helpers.js';

/** What is used of WebGPU, whose types this package does not have. */
interface Gpu {
  requestAdapter(options?: unknown): Promise<Adapter | null>;
}
interface Adapter {
  requestDevice(descriptor?: unknown): Promise<Device>;
}
interface Device {
  readonly queue: { submit(commands: readonly unknown[]): void };
  destroy(): void;
}

useSoftwareWhereNeeded();
const history = process.env['QUICKCOLUMN_TEST_HISTORY'];
if (history !== undefined) {
  const gpu = (await nodeGpu()) as unknown as Gpu;
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  gpu.requestAdapter = async (options) => {
    const adapter = await requestAdapter(options);
    if (adapter === null) return null;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => loseAfter(await requestDevice(descriptor), history);
    return adapter;
  };
}

function loseAfter(device: Device, file: string): Device {
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  let late = 0;
  queue.submit = (commands) => {
    submit(commands);
    if (existsSync(file) && statSync(file).size > 0 && ++late === 2) device.destroy();
  };
  return device;
}
