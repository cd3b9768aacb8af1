/**
 * What prediction needs to know of a model: where it comes from, its metadata, what executes it, and a way to get class
 * probabilities for a fixed patch.
 *
 * Kept apart from the loader so that the sliding window can be tested, and used, with any function that maps a
 * patch to probabilities.
 */
import type { ForeignSettings, ModelMetadata, ModelTerms } from '@quickcolumn/pipeline';
import type { Precision } from '@quickcolumn/runtimes';
import type { Size3 } from '@quickcolumn/volume';

/** A network compiled for one patch size and batch. Owns device memory until `dispose()`. */
export interface CompiledModel {
  /** Patches per run, N below. */
  readonly batch: number;
  /**
   * Class probabilities of a batch of patches.
   *
   * @param image [N, 1, D, H, W] prepared values, D = z, H = y, W = x; not kept after the promise settles.
   * @returns [N, C, D, H, W] probabilities; valid until the next call. They sum to 1 over C, but for a sigmoid of another
   *   framework, whose classes are independent and whose background is what the largest of them leaves.
   */
  run(image: Float32Array): Promise<Float32Array>;
  /** The models that `run` averages, where there are several; each of the same batch. */
  readonly members?: readonly CompiledModel[];
  dispose(): Promise<void> | void;
}

/** The file that a model was read from and what it says about itself, as sidecars tell it. */
export interface ModelFile {
  /** Name without folders. */
  readonly file: string;
  /** Of the whole file and of its weights, lower-case hex. */
  readonly sha256: string;
  readonly weightsSha256: string;
  /** Of the settings beside a model of another framework, whose weights are the whole file unless others hold them. */
  readonly settingsSha256?: string;
  /** As its settings tell them. */
  readonly title?: string;
  readonly licence?: string;
  /** Of its metadata; absent where they are. */
  readonly terms?: ModelTerms;
  readonly notes?: string;
}

/** What is known of a model of another framework: its settings, and what its file tells. */
export interface ForeignMetadata extends ForeignSettings {
  /** Its title, or the name of its file. */
  readonly network: { readonly name: string };
  /** Lengths of the window along x, y, z that the file fixes; null where it takes others. */
  readonly fixedPatch: readonly [number | null, number | null, number | null];
}

/** What executes a model. */
export interface ModelRuntime {
  readonly name: string;
  readonly version: string;
  readonly precision: Precision;
}

/** Memory of a compiled network besides its input and output: the machine's own, and a graphics card's. */
export interface NetworkBytes {
  readonly hostBytes: number;
  readonly cardBytes: number;
}

/** A model ready to be compiled for any patch its network accepts. */
export interface LoadedModel {
  /** What messages call it: its path. */
  readonly name: string;
  /** Where it comes from: one file, or all of an ensemble. */
  readonly files: readonly ModelFile[];
  readonly metadata: ModelMetadata | ForeignMetadata;
  readonly runtime: ModelRuntime;
  /** The batch that its runtime is quickest with, from 1. */
  readonly windowsAtOnce: number;
  /** @param patch voxels along x, y, z; @param batch patches per call. */
  compile(patch: Size3, batch: number): Promise<CompiledModel>;
  /** Absent when the model cannot tell. */
  estimateBytes?(patch: Size3, batch: number): NetworkBytes;
}
