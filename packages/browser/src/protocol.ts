/**
 * What page and worker say to each other. Everything is cloneable; large arrays are transferred, not copied. A request
 * has a number, and its answers carry it: any number of `progress`, then one `done` or `failed`.
 */
import type { HeaderAssumptions, NamedBlob } from '@quickcolumn/io';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import type { MaskQuantities } from '@quickcolumn/measure';
import type { MaskSidecar, Program, SegmentOptions } from '@quickcolumn/predict';
import type { ErrorJson } from '@quickcolumn/errors';
import { type Volume } from '@quickcolumn/volume';

/** What executes the network: our kernels on a GPU, or ONNX Runtime as WebAssembly on the CPU. */
export type BrowserRuntimeName = 'webgpu' | 'wasm';

/** What a prediction runs on and why, one line for people; part of everything that is reported. */
export interface RuntimeInfo {
  readonly runtime: BrowserRuntimeName;
  readonly reason: string;
  /** CPU threads of `wasm`. */
  readonly threads?: number;
}

/** These fields alone, of anything that has them. */
export const runtimeInfoOf = ({ runtime, reason, threads }: RuntimeInfo): RuntimeInfo => ({
  runtime,
  reason,
  ...(threads === undefined ? {} : { threads }),
});

/** A model that is ready. */
export interface ModelInfo extends RuntimeInfo {
  readonly metadata: ModelMetadata;
  /** Name of the model's file, where it has one. */
  readonly name: string;
  /** Of the whole file, lower-case hex. */
  readonly sha256: string;
}

export type Stage = 'read' | 'prepare' | 'windows' | 'restore' | 'write';

/** Where a prediction is; `done` of `total` windows during `windows`. */
export interface PredictProgress extends RuntimeInfo {
  readonly stage: Stage;
  readonly done: number;
  readonly total: number;
}

/** What of `segment`'s options can be sent to a worker. */
export interface ScanOptions
  extends Pick<
    SegmentOptions,
    'patch' | 'overlap' | 'weighting' | 'mirror' | 'postProcessing' | 'availableBytes' | 'minimumLesionMl' | 'accept'
  > {
  /** What is known of a file whose header does not say it. */
  readonly assume?: HeaderAssumptions;
  /** Give the scan's own voxels back with the mask, for a viewer (default false). */
  readonly withScan?: boolean;
}

/** A mask on the scan's own grid, and everything that is known about it. */
export interface BrowserPrediction extends RuntimeInfo {
  /** The mask as a .nii.gz file, with the orientation fields of the scan where that was NIfTI. */
  readonly mask: Blob;
  /** The same as voxels: class values, x fastest, size, and affine to RAS millimetres. */
  readonly labels: Volume<Uint8Array>;
  /** Lesions and infected share of each lung; null where no class of the model is a lesion. */
  readonly quantities: MaskQuantities | null;
  /**
   * Names, colours, voxels and millilitres of the classes, quantities; model, window and options that made the mask; in
   * `notes` what a person should know of the scan.
   */
  readonly sidecar: MaskSidecar;
  /** The scan's voxels where `withScan` asked for them. */
  readonly scan?: Volume;
  /** Seconds that it took, from reading to the compressed mask, and of that in the network's windows. */
  readonly seconds: number;
  readonly windowSeconds: number;
}

/** What opens a worker. */
export interface OpenRequest {
  readonly model: Blob | ArrayBuffer | string;
  readonly name: string;
  readonly runtime: 'auto' | BrowserRuntimeName;
  /** CPU threads of `wasm`; default all, or 1 where the page is not cross-origin isolated. */
  readonly threads?: number;
  /** Who writes the mask, for its sidecar. */
  readonly program: Program;
  /** Address of the folder with the files of ONNX Runtime. */
  readonly assets: string;
}

export type Request =
  | { readonly kind: 'open'; readonly id: number; readonly open: OpenRequest }
  | {
      readonly kind: 'predict';
      readonly id: number;
      readonly files: readonly NamedBlob[];
      readonly options: ScanOptions;
    }
  | { readonly kind: 'cancel'; readonly id: number };

export type Answer =
  | { readonly kind: 'progress'; readonly id: number; readonly progress: PredictProgress }
  | { readonly kind: 'opened'; readonly id: number; readonly info: ModelInfo }
  | { readonly kind: 'predicted'; readonly id: number; readonly prediction: BrowserPrediction }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorJson };
