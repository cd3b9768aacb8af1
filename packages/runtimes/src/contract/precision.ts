/** The refusal of a precision, in the same words and with the same fields from every runtime. */
import { RuntimeError } from './errors.js';
import type { Precision, Runtime } from './runtime.js';

/** @throws RuntimeError with `{ runtime, precision, possible }` where the runtime does not compute in it */
export function checkPrecision(
  { name, precisions }: Pick<Runtime, 'name' | 'precisions'>,
  precision: Precision | undefined,
): void {
  if (precision === undefined || precisions.includes(precision)) return;
  throw new RuntimeError(`${name} does not compute in ${precision} on this machine, only in ${precisions.join(', ')}`, {
    runtime: name,
    precision,
    possible: precisions,
  });
}
