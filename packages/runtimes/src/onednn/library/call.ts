/** Small helpers for calls into the C library: dimension arrays, out-pointers, status codes. */
import { RuntimeError } from '../../contract/errors.js';

/** dnnl_dims_t: always twelve 64-bit numbers. */
export function dims(sizes: readonly number[]): BigInt64Array {
  const array = new BigInt64Array(12);
  sizes.forEach((size, i) => {
    array[i] = BigInt(size);
  });
  return array;
}

/** Calls with a place for one pointer and returns what was put there. */
export function pointerOut(call: (out: BigUint64Array) => void): bigint {
  const out = new BigUint64Array(1);
  call(out);
  return out[0];
}

const statusNames: Readonly<Record<number, string>> = {
  1: 'out of memory',
  2: 'invalid arguments',
  3: 'unimplemented',
  4: 'no more implementations',
  5: 'runtime error',
  6: 'not required',
};

/** A call into oneDNN that did not succeed. */
export class DnnlStatusError extends RuntimeError {
  readonly status: number;

  constructor(call: string, status: number) {
    super(`oneDNN: ${call}: ${statusNames[status] ?? `status ${status}`}`, { runtime: 'onednn', call, status });
    this.status = status;
  }
}

export function checked(call: string, status: unknown): void {
  if (status !== 0) throw new DnnlStatusError(call, Number(status));
}

/** A C function bound by koffi; its arguments are numbers, pointers (bigint), typed arrays and null. */
export type NativeFunction = ((...operands: readonly unknown[]) => unknown) & {
  readonly info: { readonly name: string };
};
