/**
 * The worker of device-lost.test.ts: the package's own, in a browser whose adapter says that it is a real card, and whose first
 * device is lost while it computes its second window.
 */
// Runs it; it exports nothing.
export * from './worker.js';

const { gpu } = navigator;
const requestAdapter = gpu.requestAdapter.bind(gpu);
const info = { vendor: 'a card', architecture: '', device: '', description: '', isFallbackAdapter: false };
let devices = 0;

Object.assign(gpu, {
  async requestAdapter(options?: GPURequestAdapterOptions) {
    const own = await requestAdapter(options);
    if (own === null) return null;
    const { features, limits } = own;
    const requestDevice: GPUAdapter['requestDevice'] = async (descriptor) => {
      const device = await own.requestDevice(descriptor);
      if (++devices === 1) loseLater(device);
      return device;
    };
    return { features, limits, info, requestDevice };
  },
});

function loseLater(device: GPUDevice): void {
  const { queue } = device;
  const submit = queue.submit.bind(queue);
  let submitted = 0;
  queue.submit = (commands) => {
    submit(commands);
    if (++submitted === 2) device.destroy();
  };
}
