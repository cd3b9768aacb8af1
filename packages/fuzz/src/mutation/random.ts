/** The seeded generator of the fuzzer: sfc32 (Chris Doty-Humphrey's PractRand). A case is a function of (seed, index). */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Whole number from 0 up to but not including `end`; 0 when there is no such number. */
  below(end: number): number;
  /** One of the list; the list must not be empty. */
  pick<T>(list: readonly T[]): T;
}

export function createRandom(seed: number, index: number): Random {
  let a = seed | 0;
  let b = index | 0;
  let c = Math.imul(seed ^ index, 0x9e3779b1);
  let counter = 1;
  const next = (): number => {
    const t = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return (t >>> 0) / 2 ** 32;
  };
  // Neighbouring seeds differ in few bits: the first draws would too.
  for (let i = 0; i < 15; i++) next();
  const below = (end: number): number => Math.max(0, Math.floor(next() * end));
  return { next, below, pick: (list) => list[below(list.length)] };
}
