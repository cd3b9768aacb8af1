/** A build of ONNX Runtime as far as it is used here, and how its sessions are made: for graphs of ours and for files of others. */
import type { OpenModelOptions } from '../contract/runtime.js';

/** What is used of a build of ONNX Runtime; spelt out, so that types here need none of its packages. */
export interface OrtApi {
  readonly InferenceSession: {
    create(model: Uint8Array, options: OrtSessionOptions): Promise<OrtSession>;
  };
  readonly Tensor: {
    new (type: 'float32', data: Float32Array, dims: readonly number[]): OrtTensor;
    new (type: 'uint8', data: Uint8Array, dims: readonly number[]): OrtTensor;
  };
}

export interface OrtTensor {
  readonly data: unknown;
  readonly dims: readonly number[];
}

export interface OrtSession {
  readonly inputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, OrtTensor>>,
    fetches: Readonly<Record<string, OrtTensor | null>>,
  ): Promise<Readonly<Record<string, OrtTensor>>>;
  release(): Promise<void>;
}

interface OrtSessionOptions {
  readonly intraOpNumThreads?: number;
  readonly graphOptimizationLevel?: 'all';
  readonly enableMemPattern?: boolean;
  readonly logSeverityLevel?: 3;
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** A build of ONNX Runtime and how to treat it. */
export interface OrtHost {
  readonly ort: OrtApi;
  /** Of the library, for reports. */
  readonly version: string;
  /** CPU threads where none are asked for; absent where a session has no choice. */
  readonly threads?: number;
  /** Whether a run fills the output tensors that it is given; onnxruntime-web makes new ones. */
  readonly fillsOutputs: boolean;
}

/** One session, set up as is best for whole volumes. The caller has checked the precision. */
export async function createSession(
  { ort, threads: usual }: OrtHost,
  model: Uint8Array,
  { threads = usual, externalFiles }: OpenModelOptions,
): Promise<OrtSession> {
  return await ort.InferenceSession.create(model, {
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    graphOptimizationLevel: 'all',
    // One block for everything takes half as much memory again as the arena does, and is no faster.
    enableMemPattern: false,
    logSeverityLevel: 3,
    ...(externalFiles && { externalData: [...externalFiles].map(([path, data]) => ({ path, data })) }),
  });
}
