/**
 * Seeded randomness of the phantom generator: a small fast generator (sfc32, Chris Doty-Humphrey's PractRand),
 * and value noise on a hashed lattice for irregular surfaces and textures.
 *
 * Nothing here reads a clock or a global generator: the same seed gives the same voxels on every machine.
 */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Whole number from low to high, both included. */
  integer(low: number, high: number): number;
  /** Standard normal. */
  normal(): number;
}

/** Mixes two 32-bit numbers into one (murmur3 finaliser), e.g. a run's seed and a case's index. */
export function mixSeed(seed: number, stream: number): number {
  let h = (seed ^ Math.imul(stream + 1, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Independent generator for a 32-bit seed; `stream` separates the uses of one seed. */
export function createRandom(seed: number, stream = 0): Random {
  let a = mixSeed(seed, stream);
  let b = mixSeed(a, 1);
  let c = mixSeed(b, 2);
  let counter = 1;
  let spare: number | undefined;
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return {
    next,
    uniform: (low, high) => low + (high - low) * next(),
    integer: (low, high) => low + Math.floor((high - low + 1) * next()),
    normal: () => {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - next()));
      const angle = 2 * Math.PI * next();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}

/** Smooth noise in [-1, 1] with features about one unit wide; scale the coordinates for other widths. */
export type Noise = (x: number, y: number, z: number) => number;

export function createNoise(seed: number): Noise {
  const lattice = (x: number, y: number, z: number): number => {
    let h = (Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(z, 1274126177) ^ seed) | 0;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
    return ((h ^ (h >>> 15)) >>> 0) / 2147483648 - 1;
  };
  return (x, y, z) => {
    const x0 = Math.floor(x);
    const y0 = Math.floor(y);
    const z0 = Math.floor(z);
    const u = smooth(x - x0);
    const v = smooth(y - y0);
    const w = smooth(z - z0);
    const near = mix(
      mix(lattice(x0, y0, z0), lattice(x0 + 1, y0, z0), u),
      mix(lattice(x0, y0 + 1, z0), lattice(x0 + 1, y0 + 1, z0), u),
      v,
    );
    const far = mix(
      mix(lattice(x0, y0, z0 + 1), lattice(x0 + 1, y0, z0 + 1), u),
      mix(lattice(x0, y0 + 1, z0 + 1), lattice(x0 + 1, y0 + 1, z0 + 1), u),
      v,
    );
    return mix(near, far, w);
  };
}

export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

/** 3t² − 2t³ on [0, 1], clamped outside. */
export function smooth(t: number): number {
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  return t * t * (3 - 2 * t);
}
