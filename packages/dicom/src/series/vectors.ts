/** Three-dimensional vectors of patient space, in millimetres. */
import type { Vector3 } from '@quickcolumn/volume';

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

/** a + b·factor. */
export function plus(a: Vector3, b: Vector3, factor: number = 1): Vector3 {
  return [a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2]];
}

export function norm(a: Vector3): number {
  return Math.hypot(a[0], a[1], a[2]);
}
