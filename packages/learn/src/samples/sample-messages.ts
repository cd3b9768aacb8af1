/** What the sample pool and its worker threads say to each other; everything here survives a structured clone. */
import type { ErrorJson } from '@quickcolumn/errors';
import type { SampleKey } from '@quickcolumn/random';
import type { Size3 } from '@quickcolumn/volume';
import type { AugmentationConfig, MirrorClass, Oversampling, SoftVotes } from '../augment/index.js';

/** A prepared scan in shared memory. */
export interface SharedCase {
  readonly name: string;
  readonly image: Float32Array;
  readonly labels: Uint8Array;
  readonly votes?: SoftVotes | undefined;
  readonly size: Size3;
  readonly airValue: number;
  /** Spline coefficients and their state, filled by the first worker that needs them; absent: over the budget. */
  readonly spline?: { readonly state: Int32Array; readonly coefficients: Float32Array };
}

export interface WorkerSetup {
  readonly cases: readonly SharedCase[];
  readonly classes: readonly MirrorClass[];
  readonly augmentation: AugmentationConfig;
  readonly patch: Size3;
  readonly oversampling: readonly Oversampling[];
}

export interface SampleRequest {
  /** Position in the run, counted from 0. */
  readonly number: number;
  readonly caseIndex: number;
  readonly key: SampleKey;
}

export type SampleReply =
  | {
      readonly number: number;
      readonly image: Float32Array;
      readonly labels: Uint8Array;
      readonly truth?: Float32Array | undefined;
    }
  | { readonly number: number; readonly error: ErrorJson };
