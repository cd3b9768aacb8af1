/** What the fuzzer knows of a reader. A new format is one file with such an object and one row in readers.ts. */
import type { Random } from '../mutation/random.js';

/** A good, or an interestingly bad, file to start from. */
export interface FuzzSeed {
  /** For reports; the file the reader sees is named by `extension`. */
  readonly name: string;
  /** With the dot: what the reader chooses the format by. */
  readonly extension: string;
  readonly bytes: Uint8Array;
}

export interface FuzzReader {
  readonly name: string;
  /** Seeds, always in the same order; those of the shared folder only where it is present. */
  readonly seeds: () => Promise<readonly FuzzSeed[]>;
  /** A mutated file. `other` is another seed's bytes. */
  readonly vary: (seed: FuzzSeed, random: Random, other: Uint8Array) => Uint8Array;
  /** Files beside the mutated one, by name, for formats that refer to others. */
  readonly beside?: Readonly<Record<string, Uint8Array>>;
  /**
   * Reads the file; resolves when it was taken. Must throw a QuickcolumnError for everything else, and an ordinary error
   * when what was read makes no sense (the fuzzer reports it).
   */
  readonly read: (path: string, maxBytes: number) => Promise<void>;
}
