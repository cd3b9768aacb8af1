/**
 * Work on a device that may fail elsewhere and later: turns errors of scopes and the loss of the device into
 * RuntimeErrors. `fields.reason` tells them apart: `memory`, `validation`, `device-lost`, `failed`.
 * The trap: error scopes are a stack of the device, so a scope must not stay open over an `await`.
 */
import { RuntimeError } from '../../contract/errors.js';
import type { GpuDevice } from './device.js';

export interface GuardedDevice {
  readonly device: GPUDevice;
  /** Does work that makes GPU objects or submits, and waits for what the device says about it. */
  scoped<T>(what: string, work: () => T): Promise<T>;
  /** Waits for the device, and for its loss, which would otherwise leave the promise open for ever. */
  waited<T>(what: string, promise: Promise<T>): Promise<T>;
}

export function guard({ device, name }: GpuDevice): GuardedDevice {
  let lost: RuntimeError | undefined;
  // Not a race with `device.lost` itself: a promise that lives as long as the device would keep what every run left on it.
  const waiting = new Set<(error: RuntimeError) => void>();
  const listen = async (): Promise<void> => {
    const { message, reason } = await device.lost;
    const text = `the graphics device was lost (${name}: ${message || reason})`;
    lost = new RuntimeError(text, { runtime: 'webgpu', reason: 'device-lost' });
    for (const give of waiting) give(lost);
  };
  void listen();

  async function waited<T>(what: string, promise: Promise<T>): Promise<T> {
    // Once the loss was told, nobody waits for the promise any more.
    promise.catch(() => {});
    if (lost) throw lost;
    let give: (error: RuntimeError) => void = () => {};
    const ended = new Promise<never>((_resolve, reject) => {
      give = reject;
    });
    waiting.add(give);
    try {
      return await Promise.race([promise, ended]);
    } catch (cause) {
      if (cause instanceof RuntimeError) throw cause;
      // The loss is told a moment later than what it breaks.
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw (
        lost ?? failed(`${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`, 'failed', cause)
      );
    } finally {
      waiting.delete(give);
    }
  }

  return {
    device,
    waited,
    async scoped(what, work) {
      if (lost) throw lost;
      const filters = ['internal', 'out-of-memory', 'validation'] as const;
      for (const filter of filters) device.pushErrorScope(filter);
      let result: ReturnType<typeof work>;
      const popped: Promise<GPUError | null>[] = [];
      try {
        result = work();
      } finally {
        popped.push(...filters.map(() => device.popErrorScope()));
      }
      const [validation, memory, internal] = await waited(what, Promise.all(popped));
      if (memory) throw failed(`there is not enough graphics memory for ${what}: ${memory.message}`, 'memory');
      const other = validation ?? internal;
      if (other) throw failed(`the graphics device refused ${what}: ${other.message}`, 'validation');
      return result;
    },
  };
}

const failed = (text: string, reason: string, cause?: unknown): RuntimeError =>
  new RuntimeError(text, { runtime: 'webgpu', reason }, cause === undefined ? undefined : { cause });
