/**
 * How a runtime is found and opened: what each runtime's `provider.ts` exports, as `provider`. Importing that file loads
 * nothing native; `find` and `open` do.
 *
 * A new runtime is one such file and one line in `providers.ts`. Configuration, command line and doctor go by that list.
 */
import type { Precision, Runtime } from './runtime.js';

export interface RuntimeProvider {
  readonly name: string;
  /** For people: what it computes with. */
  readonly title: string;
  readonly runsOn: 'processor' | 'graphics card';
  /** What it computes in at most; the machine decides which of them there are (`Runtime.precisions`). */
  readonly precisions: readonly Precision[];
  /** One line: what to do where it is missing. */
  readonly installation: string;
  /** Whether it uses `OpenOptions.tiles`. */
  readonly measuresKernels: boolean;
  /** What it would compute with here; nothing stays open. @throws RuntimeError where it is missing; the message says what */
  find(): Promise<FoundRuntime>;
  /** @throws RuntimeError where it is missing or cannot be opened */
  open(options?: OpenOptions): Promise<Runtime>;
}

export interface FoundRuntime {
  /** As `Runtime.version`. */
  readonly version: string;
  /** Why `auto` passes it over here, although it is there; absent where `auto` may take it. */
  readonly notByItself?: string;
  /** What people want to know of it beside that. */
  readonly details: readonly RuntimeDetail[];
}

export interface RuntimeDetail {
  readonly label: string;
  readonly value: string;
}

export interface OpenOptions {
  /** Where measured kernels are kept; without it nothing is measured. */
  readonly tiles?: TileStore;
}

/** Where the tiles that were measured to be the fastest are kept, by adapter. */
export interface TileStore {
  /** Names of tiles by key; empty where nothing was measured yet. */
  load(adapter: string): Promise<ReadonlyMap<string, string>>;
  save(adapter: string, tiles: ReadonlyMap<string, string>): Promise<void>;
  /** Told before each convolution that is measured, and at the end. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}
