/**
 * What the trainer needs from an executable network: one training step and one evaluation step.
 *
 * The trainer is written against these interfaces only, so it does not know graphs, runtimes or devices, and its
 * tests run on a plain TypeScript model. `step.ts` implements them for real networks.
 * Tensors are [N, C, D, H, W] with D = z, H = y, W = x.
 */

import type { NetworkConfig } from '@quickcolumn/networks';
import type { RuntimeChoice } from '@quickcolumn/runtimes';
import type { Size3 } from '@quickcolumn/volume';
import type { LossConfig } from '../losses/loss-config.js';
import type { OptimizerConfig } from '../optimizers/optimizer-config.js';

/** A variable's value on the host. `data` has the product of `shape` elements, C order. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** `image` is [N, 1, D, H, W], `labels` [N, D, H, W] with class indices. The step reads them before it resolves. */
export interface TrainingBatch {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
  /** [N, C, D, H, W], the share of each class: what a step with `softTruth` learns in place of the labels. */
  readonly truth?: Float32Array | undefined;
}

/**
 * Losses are means over the samples of the batch; `softDice` has one value per class, background included.
 * `crossEntropy` is the loss's term over voxels and `tversky` its term over classes, whatever they are (loss.ts).
 */
export interface StepResult {
  readonly loss: number;
  readonly crossEntropy: number;
  readonly tversky: number;
  readonly softDice: readonly number[];
}

export interface StepOptions {
  readonly learningRate: number;
  /** Adam's t: 1 in the very first step of the training, counted on over resumes. */
  readonly step: number;
}

export interface TrainingStep {
  /** Bytes the step holds while it runs, known before the first run. */
  readonly bytes: number;
  run(batch: TrainingBatch, options: StepOptions): Promise<StepResult>;
  /** Everything an exact resume needs: weights, running statistics and optimiser moments. The caller owns the copy. */
  variables(): Promise<Map<string, NamedTensor>>;
  setVariables(variables: ReadonlyMap<string, NamedTensor>): Promise<void>;
  dispose(): Promise<void>;
}

/** Forward pass and loss with the running statistics; changes nothing. Ignores variables it does not know. */
export interface EvaluationStep {
  /** @param batch of as many patches as a training step has, or fewer */
  run(batch: TrainingBatch): Promise<StepResult>;
  setVariables(variables: ReadonlyMap<string, NamedTensor>): Promise<void>;
  dispose(): Promise<void>;
}

/** The network in training mode over one patch, for the statistics of its batch norms; changes nothing. */
export interface StatisticsStep {
  /** @param patch [1, 1, D, H, W]; @returns means and variances of the patch by the names of the running ones */
  run(patch: Float32Array): Promise<ReadonlyMap<string, Float32Array>>;
  setVariables(variables: ReadonlyMap<string, NamedTensor>): Promise<void>;
  dispose(): Promise<void>;
}

/** What a step is compiled from. `patch` is x, y, z in voxels; `classes` counts the background. */
export interface StepConfig {
  readonly network: NetworkConfig;
  readonly classes: number;
  readonly patch: Size3;
  readonly batch: number;
  readonly loss: LossConfig;
  readonly optimizer: OptimizerConfig;
  /** Labels that are no class index are left out of the loss. */
  readonly ignoreLabels?: boolean;
  /** Batches have a `truth`, and no labels are read. */
  readonly softTruth?: boolean;
  readonly seed: number;
  /** Names of variables that keep their values: no gradient, no moments, fixed batch-norm statistics. */
  readonly frozen?: readonly string[];
  /** Values to start from, by name; variables that are not in it are drawn from the seed. */
  readonly initial?: ReadonlyMap<string, NamedTensor>;
  /** Decay of the moving average of the weights (averaged-weights.ts); absent: there is none. */
  readonly averaging?: number | undefined;
  readonly threads?: number;
  /** What executes it, default: the embedded onnx runtime. */
  readonly device?: Pick<RuntimeChoice, 'runtime' | 'precision'>;
}
