/**
 * Working along one axis of a volume, many neighbouring lines at a time.
 *
 * A line along y or z touches one value per cache line when walked alone. Here a strip of up to 32 lines is copied into
 * a buffer with the lines side by side (sample k of line l at k·width + l), worked on there, and copied back: reads
 * and writes of the volume are runs of neighbours, and the buffer stays in the cache. Along x, where lines are
 * contiguous themselves, the copy transposes; the work on the strip is then free of dependencies from value to value.
 */
import type { Size3 } from './volume.js';

const stripWidth = 32;

/** Where one strip of lines lies in the volume, and how to copy it. Valid only during the callback that gets it. */
export interface StripPlace {
  /** Number of lines side by side. */
  readonly width: number;
  /** Copy the strip's samples out of a volume of the walked size. */
  load(from: Float32Array, strip: Float64Array): void;
  /** Copy a strip into a volume with the walked size, except for `length` samples along the axis. */
  store(strip: Float64Array, to: Float32Array, length: number): void;
}

let scratch = new Float64Array(0);

/** Scratch space for a strip of `length` samples; the same memory at every call, so one user at a time. */
export function stripOf(length: number, width: number): Float64Array {
  if (scratch.length < length * width) scratch = new Float64Array(length * stripWidth);
  return scratch;
}

/** Visit all lines along `axis` (0 x, 1 y, 2 z), strip by strip. */
export function forEachStrip(size: Size3, axis: number, visit: (place: StripPlace) => void): void {
  const length = size[axis];
  if (axis === 0) {
    const lines = size[1] * size[2];
    for (let first = 0; first < lines; first += stripWidth) visit(new RowStrip(first, length, lines));
    return;
  }
  const inner = axis === 1 ? size[0] : size[0] * size[1];
  const outer = axis === 1 ? size[2] : 1;
  for (let o = 0; o < outer; o++) {
    for (let first = 0; first < inner; first += stripWidth) visit(new ColumnStrip(o, first, inner, length));
  }
}

/** Lines along x: contiguous in the volume, transposed into the strip. */
class RowStrip implements StripPlace {
  readonly width: number;
  private readonly first: number;
  private readonly length: number;

  constructor(first: number, length: number, lines: number) {
    this.first = first;
    this.length = length;
    this.width = Math.min(stripWidth, lines - first);
  }

  load(from: Float32Array, strip: Float64Array): void {
    const { width, length } = this;
    for (let l = 0; l < width; l++) {
      const line = (this.first + l) * length;
      for (let k = 0, at = l; k < length; k++, at += width) strip[at] = from[line + k];
    }
  }

  store(strip: Float64Array, to: Float32Array, length: number): void {
    const { width } = this;
    for (let l = 0; l < width; l++) {
      const line = (this.first + l) * length;
      for (let k = 0, at = l; k < length; k++, at += width) to[line + k] = strip[at];
    }
  }
}

/** Lines along y or z: neighbours lie side by side in the volume already. */
class ColumnStrip implements StripPlace {
  readonly width: number;
  private readonly outer: number;
  private readonly first: number;
  private readonly inner: number;
  private readonly length: number;

  constructor(outer: number, first: number, inner: number, length: number) {
    this.outer = outer;
    this.first = first;
    this.inner = inner;
    this.length = length;
    this.width = Math.min(stripWidth, inner - first);
  }

  load(from: Float32Array, strip: Float64Array): void {
    const { width, inner, length } = this;
    const start = this.outer * length * inner + this.first;
    for (let k = 0; k < length; k++) {
      const row = start + k * inner;
      for (let l = 0, at = k * width; l < width; l++, at++) strip[at] = from[row + l];
    }
  }

  store(strip: Float64Array, to: Float32Array, length: number): void {
    const { width, inner } = this;
    const start = this.outer * length * inner + this.first;
    for (let k = 0; k < length; k++) {
      const row = start + k * inner;
      for (let l = 0, at = k * width; l < width; l++, at++) to[row + l] = strip[at];
    }
  }
}
