/**
 * Counter-based random numbers: Philox 4×32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). A stream is a pure function of its key (seed, epoch, sample, stream), so a draw never
 * depends on which worker made it, on what was drawn before, or on where a run was interrupted.
 *
 * The mapping is injective: the seed is the 64-bit Philox key, and the 128-bit counter is
 * (block, stream, sample, epoch). Trap: two consumers with the same key see the same numbers, hence `streams`.
 */

/** One id for every independent use of random numbers. Append only: renumbering changes every seeded run. */
export const streams = {
  split: 0,
  shuffle: 1,
  crop: 2,
  mirror: 3,
  rotation: 4,
  scaling: 5,
  elastic: 6,
  gamma: 7,
  brightness: 8,
  contrast: 9,
  noise: 10,
  weights: 11,
  wavelet: 12,
  focus: 13,
  statistics: 14,
} as const;

export type StreamName = keyof typeof streams;

/** Names one training sample. Whole numbers: seed below 2^53, epoch and sample below 2^32. */
export interface SampleKey {
  readonly seed: number;
  readonly epoch: number;
  readonly sample: number;
}

const multiplier0 = 0xd2511f53 | 0;
const multiplier1 = 0xcd9e8d57 | 0;
const weyl0 = 0x9e3779b9 | 0;
const weyl1 = 0xbb67ae85 | 0;
const toUnit = 2 ** -32;

/** Upper 32 bits of the product of two unsigned 32-bit numbers, in 16-bit parts (a double holds only 53 bits). */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const cross = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/**
 * Philox 4×32-10: writes the four output words for `counter` under `key` into `out` (all unsigned 32-bit).
 * Exported for the known-answer test; use `createRandom` elsewhere.
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): void {
  let c0 = counter[0] | 0;
  let c1 = counter[1] | 0;
  let c2 = counter[2] | 0;
  let c3 = counter[3] | 0;
  let k0 = key[0] | 0;
  let k1 = key[1] | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(c0, multiplier0);
    const high1 = multiplyHigh(c2, multiplier1);
    const low0 = Math.imul(c0, multiplier0);
    const low1 = Math.imul(c2, multiplier1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + weyl0) | 0;
    k1 = (k1 + weyl1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** A stream of random numbers. Owns its position; not shared between consumers. */
export class RandomStream {
  private readonly key: readonly [number, number];
  private readonly counter: [number, number, number, number];
  private readonly words: Uint32Array = new Uint32Array(4);
  private used = 4;

  constructor(key: SampleKey, stream: StreamName) {
    for (const name of ['seed', 'epoch', 'sample'] as const) {
      const limit = name === 'seed' ? Number.MAX_SAFE_INTEGER : 0xffffffff;
      if (!Number.isInteger(key[name]) || key[name] < 0 || key[name] > limit) {
        throw new RangeError(`random key: ${name} is ${key[name]}, expected a whole number from 0 to ${limit}`);
      }
    }
    this.key = [key.seed % 2 ** 32, Math.floor(key.seed / 2 ** 32)];
    this.counter = [0, streams[stream], key.sample, key.epoch];
  }

  private refill(): void {
    philox(this.counter, this.key, this.words);
    this.counter[0] = (this.counter[0] + 1) >>> 0;
    this.used = 0;
  }

  /** A uniform number strictly between `low` and `high` (32 bits of resolution). */
  uniform(low = 0, high = 1): number {
    if (this.used === 4) this.refill();
    return low + (high - low) * ((this.words[this.used++] + 0.5) * toUnit);
  }

  /** True with the given probability. Always uses one draw, so that 0 and 1 leave later draws where they are. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** A whole number from `low` up to but not including `high`; the bias is below (high − low) / 2^32. */
  integer(low: number, high: number): number {
    if (!(high > low)) throw new RangeError(`random integer: the range ${low}..${high} is empty`);
    return low + Math.floor((high - low) * this.uniform());
  }

  normal(mean = 0, standardDeviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return mean + standardDeviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Adds independent normal numbers of mean 0 to every element (Box–Muller, both halves of each pair used). */
  addNormal(values: Float32Array, standardDeviation: number): void {
    const { words } = this;
    for (let i = 0; i < values.length; i += 4) {
      this.refill();
      for (let half = 0; half < 4; half += 2) {
        const radius = standardDeviation * Math.sqrt(-2 * Math.log((words[half] + 0.5) * toUnit));
        const angle = 2 * Math.PI * toUnit * words[half + 1];
        // Writes past the end of a typed array are ignored: no special case for the last, incomplete block.
        values[i + half] += radius * Math.cos(angle);
        values[i + half + 1] += radius * Math.sin(angle);
      }
    }
    this.used = 4;
  }

  /** The numbers 0 … count − 1 in random order (Fisher–Yates). */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.integer(0, i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

/** The random stream of one sample and one use. Equal keys give equal numbers. Throws RangeError on a bad key. */
export function createRandom(key: SampleKey, stream: StreamName): RandomStream {
  return new RandomStream(key, stream);
}
