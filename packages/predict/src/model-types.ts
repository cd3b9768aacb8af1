/**
 * What prediction needs to know of a model: its metadata, and a way to get class probabilities for a fixed patch.
 *
 * Kept apart from the loader so that the sliding window can be tested, and used, with any function that maps a
 * patch to probabilities. The loader for model files (`loadModel`) is in model.ts.
 */
import type { ModelMetadata } from '@quickcolumn/pipeline';
import type { Size3 } from '@quickcolumn/volume';

/** A network compiled for one patch size and batch. Owns device memory until `dispose()`. */
export interface CompiledModel {
  /**
   * Class probabilities of a batch of patches.
   *
   * @param image [N, 1, D, H, W] z-scored values, D = z, H = y, W = x; not kept after the promise settles.
   * @returns [N, C, D, H, W] probabilities that sum to 1 over C; valid until the next call.
   */
  run(image: Float32Array): Promise<Float32Array>;
  dispose(): Promise<void> | void;
}

/** A model ready to be compiled for any patch its network accepts. */
export interface LoadedModel {
  readonly metadata: ModelMetadata;
  /** @param patch voxels along x, y, z; @param batch patches per call. */
  compile(patch: Size3, batch: number): Promise<CompiledModel>;
  /** Bytes the compiled network takes besides its input and output; absent when the model cannot tell. */
  estimateBytes?(patch: Size3, batch: number): number;
}
