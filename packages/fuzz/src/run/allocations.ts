/**
 * A limit on every allocation of a process. Constructors of buffers and typed arrays are replaced by ones that look at
 * the size first, so that a header's promise of terabytes is seen even where the machine would grant it.
 *
 * Trap: memory that was promised but never touched costs nothing and shows in no statistics; only the call shows.
 */

/** What was allocated since the last reset, in bytes. */
export interface Allocations {
  largest: number;
  total: number;
}

type Constructor = new (...parameters: unknown[]) => object;

/** Replaces the global constructors; allocations above `limitBytes` are counted and fail with a RangeError. */
export function limitAllocations(limitBytes: number): Allocations {
  const seen: Allocations = { largest: 0, total: 0 };
  const globals = globalThis as unknown as Record<string, Constructor & { BYTES_PER_ELEMENT?: number }>;
  const count = (bytes: number): void => {
    if (!Number.isFinite(bytes)) return;
    seen.largest = Math.max(seen.largest, bytes);
    seen.total += bytes;
    if (bytes > limitBytes) throw new RangeError(`fuzz: an allocation of ${bytes} bytes is above the limit`);
  };
  const names = [
    'Int8',
    'Uint8',
    'Uint8Clamped',
    'Int16',
    'Uint16',
    'Int32',
    'Uint32',
    'Float32',
    'Float64',
    'BigInt64',
  ];
  for (const name of ['ArrayBuffer', 'SharedArrayBuffer', 'BigUint64Array', ...names.map((part) => `${part}Array`)]) {
    const original = globals[name];
    const width = original.BYTES_PER_ELEMENT ?? 1;
    globals[name] = new Proxy(original, {
      construct(target, parameters: unknown[], newTarget): object {
        const [first] = parameters;
        if (typeof first === 'number') count(first * width);
        else if (Array.isArray(first)) count(first.length * width);
        return Reflect.construct(target, parameters, newTarget) as object;
      },
    });
  }
  const buffers = Buffer as unknown as Record<string, (size: number, ...rest: unknown[]) => unknown>;
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow']) {
    const original = buffers[name].bind(Buffer);
    buffers[name] = (size, ...rest) => {
      count(size);
      return original(size, ...rest);
    };
  }
  return seen;
}
