/**
 * Branching tubes of the chest: the airways from the trachea down and the vessel trees of both lungs, as lists of
 * capsules (a segment with a radius), and how much of each voxel they cover. Millimetres are template millimetres
 * (l, p, s) as in anatomy.ts.
 */
import type { Size3 } from '@quickcolumn/volume';
import { cavityDepth, lungDepth, type Patient } from './anatomy.js';
import type { Random } from './random.js';

type Point = readonly [number, number, number];

export interface Tube {
  readonly from: Point;
  readonly to: Point;
  readonly radius: number;
}

/** Template millimetres of voxel (i, j, k): origin[axis] + step[axis] · index. */
export interface Frame {
  readonly size: Size3;
  readonly origin: Point;
  readonly step: Point;
}

const hilumP = 4;
const hilumS = 12;

function hilum(side: 1 | -1): Point {
  return [side * 31, hilumP, hilumS];
}

/** Trachea, main bronchi and some lobar bronchi. */
export function airwayTubes(patient: Patient, random: Random): readonly Tube[] {
  const carina: Point = [-2, 6, 34];
  const tubes: Tube[] = [{ from: [0, -4, 130], to: carina, radius: random.uniform(7, 8.5) }];
  for (const side of [1, -1] as const) {
    const end = hilum(side);
    tubes.push({ from: carina, to: end, radius: random.uniform(5, 6) });
    for (const direction of fan(side, random, 4)) grow(patient, random, tubes, end, direction, 3.2, 3, 0.7);
  }
  return tubes;
}

/** Vessel trees of both lungs from the hilum to the periphery, radius about 4.5 down to 0.8 mm. */
export function vesselTubes(patient: Patient, random: Random): readonly Tube[] {
  const tubes: Tube[] = [];
  for (const side of [1, -1] as const) {
    for (const direction of fan(side, random, 9)) {
      grow(patient, random, tubes, hilum(side), direction, random.uniform(3.2, 4.8), 8, 0.8);
    }
  }
  return tubes;
}

/** Directions from a hilum spread over the lung: upper, middle and lower. */
function fan(side: 1 | -1, random: Random, count: number): readonly Point[] {
  const directions: Point[] = [];
  for (let i = 0; i < count; i++) {
    const up = -1.1 + (2.3 * (i + random.next())) / count;
    directions.push(unit([side * random.uniform(0.5, 1), random.uniform(-0.9, 0.9), up]));
  }
  return directions;
}

function grow(
  patient: Patient,
  random: Random,
  tubes: Tube[],
  from: Point,
  direction: Point,
  radius: number,
  generations: number,
  thinnest: number,
): void {
  if (generations === 0 || radius < thinnest) return;
  const length = 9 + 4.5 * radius;
  const to: Point = [from[0] + direction[0] * length, from[1] + direction[1] * length, from[2] + direction[2] * length];
  const sameSide = to[0] * from[0] > 0;
  // The first pieces leave the mediastinum, so only ends far outside a lung stop a branch.
  if (!sameSide || lungDepth(patient, to[0], to[1], to[2], cavityDepth(patient, to[0], to[1], to[2])) < -14) return;
  tubes.push({ from, to, radius });
  const children = random.next() < 0.85 ? 2 : 1;
  for (let i = 0; i < children; i++) {
    const bend = 0.55;
    const next = unit([
      direction[0] + bend * random.normal(),
      direction[1] + bend * random.normal(),
      direction[2] + bend * random.normal(),
    ]);
    grow(patient, random, tubes, to, next, radius * random.uniform(0.68, 0.86), generations - 1, thinnest);
  }
}

function unit(v: Point): Point {
  const length = Math.hypot(v[0], v[1], v[2]) || 1;
  return [v[0] / length, v[1] / length, v[2] / length];
}

/** Share (0 to 1) of each voxel covered by the tubes widened by `extraMm`; one value a voxel, x fastest. */
export function tubeCoverage(tubes: readonly Tube[], frame: Frame, extraMm = 0): Float32Array {
  const [nx, ny, nz] = frame.size;
  const coverage = new Float32Array(nx * ny * nz);
  const voxel = Math.abs(frame.step[0]);
  for (const tube of tubes) {
    const radius = tube.radius + extraMm;
    const reach = radius + 0.5 * voxel;
    const low: number[] = [];
    const high: number[] = [];
    for (let axis = 0; axis < 3; axis++) {
      const a = (tube.from[axis] - frame.origin[axis]) / frame.step[axis];
      const b = (tube.to[axis] - frame.origin[axis]) / frame.step[axis];
      const margin = reach / Math.abs(frame.step[axis]);
      low.push(Math.max(0, Math.ceil(Math.min(a, b) - margin)));
      high.push(Math.min(frame.size[axis] - 1, Math.floor(Math.max(a, b) + margin)));
    }
    const [dl, dp, ds] = [tube.to[0] - tube.from[0], tube.to[1] - tube.from[1], tube.to[2] - tube.from[2]];
    const square = dl * dl + dp * dp + ds * ds;
    // A tube thinner than a voxel cannot fill it.
    const most = Math.min(1, (2 * radius) / voxel);
    for (let k = low[2]; k <= high[2]; k++) {
      const s = frame.origin[2] + k * frame.step[2] - tube.from[2];
      for (let j = low[1]; j <= high[1]; j++) {
        const p = frame.origin[1] + j * frame.step[1] - tube.from[1];
        for (let i = low[0]; i <= high[0]; i++) {
          const l = frame.origin[0] + i * frame.step[0] - tube.from[0];
          const t = Math.min(1, Math.max(0, (l * dl + p * dp + s * ds) / square));
          const distance = Math.hypot(l - t * dl, p - t * dp, s - t * ds);
          const share = Math.min(most, (radius - distance) / voxel + 0.5);
          const at = i + nx * (j + ny * k);
          if (share > coverage[at]) coverage[at] = share;
        }
      }
    }
  }
  return coverage;
}
