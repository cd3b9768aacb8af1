/**
 * Spline coefficients of the training scans, computed by whoever needs them first and shared by all workers.
 * A scan without shared memory for them (over the pool's budget) is filtered again when needed; each worker keeps
 * only the latest such result, so that memory stays bounded.
 */
import { type Size3, splineCoefficients } from '@quickcolumn/volume';
import type { SharedCase } from './sample-messages.js';

const empty = 0;
const computing = 1;
const ready = 2;

/** Whether a shared array is filled; a failed computation puts it back to empty so that the next one tries again. */
function fillOnce(shared: NonNullable<SharedCase['spline']>, image: Float32Array, size: Size3): Float32Array {
  const { state, coefficients } = shared;
  for (;;) {
    const seen = Atomics.compareExchange(state, 0, empty, computing);
    if (seen === ready) return coefficients;
    if (seen === computing) {
      Atomics.wait(state, 0, computing);
      continue;
    }
    let next = empty;
    try {
      coefficients.set(splineCoefficients(image, size));
      next = ready;
      return coefficients;
    } finally {
      Atomics.store(state, 0, next);
      Atomics.notify(state, 0);
    }
  }
}

/** A function that gives a scan's coefficients. May block its thread while another one computes: workers only. */
export function createSplineReader(): (scan: SharedCase) => Float32Array {
  let latest: { scan: SharedCase; coefficients: Float32Array } | undefined;
  return (scan) => {
    if (scan.spline) return fillOnce(scan.spline, scan.image, scan.size);
    if (latest?.scan !== scan) latest = { scan, coefficients: splineCoefficients(scan.image, scan.size) };
    return latest.coefficients;
  };
}
