/** What run.ts and worker.ts say to each other. */

export interface WorkerTask {
  readonly reader: string;
  readonly seed: number;
  /** Indices of cases, the end excluded. */
  readonly from: number;
  readonly to: number;
}

export type WorkerMessage =
  | { readonly begins: number }
  | {
      readonly index: number;
      readonly seedName: string;
      readonly milliseconds: number;
      readonly code: string;
      readonly finding?: string;
    }
  | { readonly done: true; readonly peakBytes: number }
  | { readonly failed: string };
