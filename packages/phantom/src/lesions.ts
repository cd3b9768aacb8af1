/**
 * Infection lesions: irregular blobs inside the lungs, mostly near the pleura and low at the back as in COVID-19.
 * Ground glass (about −600 to −400 HU) has a blurred edge and lets vessels show; consolidation (about −100 to
 * +40 HU) has a sharper one. A voxel belongs to the mask where at least half of the lesion's density is reached.
 */
import type { Size3 } from '@quickcolumn/volume';
import type { Frame } from './tubes.js';
import { createNoise, mix, type Random, smooth } from './random.js';

export type LesionKind = 'ground-glass' | 'consolidation';

export interface Lesion {
  readonly kind: LesionKind;
  /** Density of its core, HU. */
  readonly targetHu: number;
  /** Voxels that this lesion put into the mask. */
  readonly voxels: number;
}

/** What lesions are painted into; `lungDepthMm` is positive inside the lungs. `hu` and `mask` are changed. */
export interface LesionCanvas {
  readonly frame: Frame;
  readonly lungDepthMm: Float32Array;
  readonly hu: Float32Array;
  readonly mask: Uint8Array;
}

const attempts = 8;

/** Paints one lesion; it grows until the mask has at least `minVoxels` more voxels. */
export function paintLesion(canvas: LesionCanvas, kind: LesionKind, random: Random, minVoxels: number): Lesion {
  const { frame, lungDepthMm } = canvas;
  const targetHu = kind === 'ground-glass' ? random.uniform(-600, -400) : random.uniform(-100, 40);
  const seedVoxel = pickSeed(canvas, random);
  const shape = {
    radius: kind === 'ground-glass' ? random.uniform(14, 34) : random.uniform(10, 24),
    stretch: [random.uniform(0.75, 1.3), random.uniform(0.75, 1.3), random.uniform(0.75, 1.3)] as const,
    ragged: random.uniform(0.25, 0.5),
    // Some lesions are a band along the pleura instead of a ball.
    band: random.next() < 0.4 ? random.uniform(14, 24) : 0,
    noise: createNoise(Math.floor(random.next() * 2 ** 31)),
  };
  for (let attempt = 0; ; attempt++) {
    const weights = blob(frame, lungDepthMm, seedVoxel, kind, shape);
    let voxels = 0;
    for (const [at, weight] of weights) if (weight >= 0.5 && canvas.mask[at] === 0) voxels++;
    if (voxels < minVoxels && attempt < attempts) {
      shape.radius *= 1.3;
      shape.band = 0;
      continue;
    }
    for (const [at, weight] of weights) {
      if (weight >= 0.5) canvas.mask[at] = 1;
      const before = canvas.hu[at];
      const texture = kind === 'ground-glass' ? 45 : 15;
      const [i, j, k] = voxelOf(at, frame);
      const target = targetHu + texture * shape.noise(i * 0.6, j * 0.6, k * 0.9);
      // Vessels are denser than ground glass and stay visible through it.
      if (target > before) canvas.hu[at] = mix(before, target, weight);
    }
    return { kind, targetHu, voxels };
  }
}

/** A lung voxel: of a few random ones the most peripheral, posterior and inferior. */
function pickSeed(canvas: LesionCanvas, random: Random): number {
  const { frame, lungDepthMm, mask } = canvas;
  let best = -1;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let found = 0, tries = 0; found < 8 && tries < 4000; tries++) {
    const at = random.integer(0, lungDepthMm.length - 1);
    if (lungDepthMm[at] < 5) continue;
    found++;
    const [, j, k] = voxelOf(at, frame);
    const p = frame.origin[1] + frame.step[1] * j;
    const s = frame.origin[2] + frame.step[2] * k;
    const score = -lungDepthMm[at] + 0.15 * p - 0.08 * s - (mask[at] ? 40 : 0) + 12 * random.normal();
    if (score > bestScore) {
      bestScore = score;
      best = at;
    }
  }
  if (best >= 0) return best;
  let deepest = 0;
  for (let at = 1; at < lungDepthMm.length; at++) if (lungDepthMm[at] > lungDepthMm[deepest]) deepest = at;
  return deepest;
}

function voxelOf(at: number, frame: Frame): Size3 {
  const [nx, ny] = frame.size;
  return [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
}

interface BlobShape {
  readonly radius: number;
  readonly stretch: readonly [number, number, number];
  readonly ragged: number;
  readonly band: number;
  readonly noise: (x: number, y: number, z: number) => number;
}

/** Voxel index and weight (0 to 1) of the lesion's voxels, all inside a lung on the seed's side. */
function blob(
  frame: Frame,
  lungDepthMm: Float32Array,
  seedVoxel: number,
  kind: LesionKind,
  shape: BlobShape,
): readonly (readonly [number, number])[] {
  const [nx, ny, nz] = frame.size;
  const centre = voxelOf(seedVoxel, frame);
  const edge = kind === 'ground-glass' ? 0.32 : 0.14;
  const grain = Math.max(6, shape.radius * 0.55);
  const reach = [0, 1, 2].map((axis) =>
    Math.ceil((shape.radius * shape.stretch[axis] * 1.55) / Math.abs(frame.step[axis])),
  );
  const voxels: [number, number][] = [];
  for (let k = Math.max(0, centre[2] - reach[2]); k <= Math.min(nz - 1, centre[2] + reach[2]); k++) {
    for (let j = Math.max(0, centre[1] - reach[1]); j <= Math.min(ny - 1, centre[1] + reach[1]); j++) {
      for (let i = Math.max(0, centre[0] - reach[0]); i <= Math.min(nx - 1, centre[0] + reach[0]); i++) {
        const at = i + nx * (j + ny * k);
        if (lungDepthMm[at] <= 0) continue;
        const l = (i - centre[0]) * frame.step[0];
        const p = (j - centre[1]) * frame.step[1];
        const s = (k - centre[2]) * frame.step[2];
        const side = frame.origin[0] + i * frame.step[0];
        if (side * (side - l) < 0) continue;
        const distance = Math.hypot(l / shape.stretch[0], p / shape.stretch[1], s / shape.stretch[2]) / shape.radius;
        let inside = 1 - distance + shape.ragged * shape.noise(l / grain, p / grain, s / grain);
        if (shape.band > 0) inside = Math.min(inside, (shape.band - lungDepthMm[at]) / shape.band);
        const weight = smooth(inside / edge);
        if (weight > 0) voxels.push([at, weight]);
      }
    }
  }
  return voxels;
}
