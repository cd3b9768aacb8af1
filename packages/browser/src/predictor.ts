/**
 * The page's side: a predictor is a Web Worker with a model in it. Reading, preparing, predicting and writing all happen
 * there; the page's thread only passes messages and stays free.
 */
import type { NamedBlob } from '@quickcolumn/io';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { Program } from '@quickcolumn/predict';
import {
  type Answer,
  type BrowserPrediction,
  type BrowserRuntimeName,
  type ModelInfo,
  type OpenRequest,
  type PredictProgress,
  type Request,
  runtimeInfoOf,
  type ScanOptions,
} from './protocol.js';
import { thisPackage } from './version.js';

export interface PredictorOptions {
  /**
   * A `model.onnx` of quickcolumn: a file, its bytes (the buffer is transferred and is empty afterwards), or an address on
   * the page's own origin.
   */
  readonly model: Blob | ArrayBuffer | URL;
  /**
   * `auto` (default) takes WebGPU where there is a real GPU, and goes on with `wasm` when that fails; `webgpu` fails where
   * there is none, software ones count.
   */
  readonly runtime?: 'auto' | BrowserRuntimeName;
  /** CPU threads of `wasm`; default all, or 1 where the page is not cross-origin isolated. */
  readonly threads?: number;
  /** What sidecars name as the program that made the mask; default this package. */
  readonly program?: Program;
  /** Folder of the two files of ONNX Runtime, ending in a slash; default: where the worker's script is. */
  readonly assets?: URL;
}

export interface PredictRequest extends ScanOptions {
  /** Stops at the next window; the promise then rejects with the code `interrupted`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PredictProgress) => void;
}

/** Owns a worker and the model's memory until `dispose()`. */
export interface Predictor {
  /** What runs the model now and why, and all that the model says about itself. */
  readonly info: ModelInfo;
  /**
   * The mask of one scan. Requests run one after the other.
   *
   * A graphics device that fails on the way is given up: where `auto` chose it, the scan begins anew on WebAssembly and the
   * reasons say so; where it was asked for by name, this rejects (`runtime`) and the next request opens a device anew.
   * @param scan one file, or the files of one scan (.hdr and .img; a header with detached data)
   * @throws QuickcolumnError with the code of what went wrong: `format`, `nifti`, `nrrd`, `metaimage`, `usage`, `preparation`,
   *   `memory`, `runtime`, `interrupted`, `worker` or `internal`
   */
  predict(scan: NamedBlob | readonly NamedBlob[], options?: PredictRequest): Promise<BrowserPrediction>;
  /** Ends the worker; what is running rejects with the code `interrupted`. */
  dispose(): void;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress?: (progress: PredictProgress) => void;
}

/** Starts a worker and opens a model in it. @throws QuickcolumnError `model`, `runtime`, `file-read`, `worker` */
export async function createPredictor(options: PredictorOptions): Promise<Predictor> {
  const { model, runtime = 'auto', threads, program = thisPackage, assets } = options;
  // Bundlers look for exactly this expression.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const channel = channelOf(worker);
  const open: OpenRequest = {
    model: model instanceof URL ? model.href : model,
    name: nameOf(model),
    runtime,
    ...(threads === undefined ? {} : { threads }),
    program,
    assets: (assets ?? new URL('./', import.meta.url)).href,
  };
  try {
    const transfer = model instanceof ArrayBuffer ? [model] : [];
    let { info } = await channel.ask('opened', (id) => ({ kind: 'open', id, open }), { transfer });
    return {
      get info() {
        return info;
      },
      async predict(scan, { signal, onProgress, ...settings } = {}) {
        if (signal?.aborted) throw interrupted();
        const files = scan instanceof Blob ? [scan] : scan;
        const request = (id: number): Request => ({ kind: 'predict', id, files, options: settings });
        const { prediction } = await channel.ask('predicted', request, {
          signal,
          onProgress(progress) {
            info = { ...info, ...runtimeInfoOf(progress) };
            onProgress?.(progress);
          },
        });
        return prediction;
      },
      dispose: () => channel.end(interrupted()),
    };
  } catch (error) {
    channel.end(interrupted());
    throw error;
  }
}

const interrupted = (): QuickcolumnError => new QuickcolumnError('interrupted', 'prediction was interrupted');

function nameOf(model: PredictorOptions['model']): string {
  if (model instanceof URL) return model.pathname.split('/').at(-1) ?? model.href;
  return model instanceof File ? model.name : 'model';
}

interface AskOptions {
  readonly transfer?: readonly Transferable[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PredictProgress) => void;
}

interface Channel {
  ask<K extends 'opened' | 'predicted'>(
    kind: K,
    request: (id: number) => Request,
    options: AskOptions,
  ): Promise<Extract<Answer, { kind: K }>>;
  end(reason: Error): void;
}

function channelOf(worker: Worker): Channel {
  const waiting = new Map<number, Waiting>();
  let next = 1;
  let ended: Error | undefined;
  const end = (reason: Error): void => {
    ended ??= reason;
    worker.terminate();
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
  };
  worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    const one = waiting.get(data.id);
    if (one === undefined) return;
    if (data.kind === 'progress') {
      one.onProgress?.(data.progress);
      return;
    }
    waiting.delete(data.id);
    if (data.kind === 'failed') one.reject(QuickcolumnError.fromJSON(data.error));
    else one.resolve(data);
  });
  worker.addEventListener('error', ({ message }) => {
    // A script that does not load has no message.
    const problem = message ?? 'its script could not be loaded';
    end(new QuickcolumnError('worker', `the worker failed: ${problem}; worker.js must lie beside the page's script`));
  });
  return {
    async ask<K extends 'opened' | 'predicted'>(
      _kind: K,
      request: (id: number) => Request,
      { transfer = [], signal, onProgress }: AskOptions,
    ) {
      if (ended !== undefined) throw ended;
      const id = next++;
      const cancel = (): void => worker.postMessage({ kind: 'cancel', id } satisfies Request);
      signal?.addEventListener('abort', cancel, { once: true });
      try {
        const answer = await new Promise<Answer>((resolve, reject) => {
          waiting.set(id, { resolve, reject, ...(onProgress === undefined ? {} : { onProgress }) });
          worker.postMessage(request(id), [...transfer]);
        });
        return answer as Extract<Answer, { kind: K }>;
      } finally {
        signal?.removeEventListener('abort', cancel);
      }
    },
    end,
  };
}
