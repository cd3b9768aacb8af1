/**
 * The worker's side: one model, compiled once and kept, and predictions one after the other.
 *
 * A graphics device may fail at any window. Where WebGPU was chosen by `auto`, the scan is then predicted anew on
 * WebAssembly, and so are all that follow; where it was asked for by name, the next request opens a device anew.
 * A worker that computes hears nothing, so before every window it lets the event loop turn once: that is when a request
 * to cancel arrives.
 */
import {
  encodeVolumeBlob,
  labelsDescription,
  type NamedBlob,
  readVolumeBlobs,
  volumeBase,
  volumePath,
} from '@quickcolumn/io';
import {
  type CompiledModel,
  largestModelBytes,
  type LoadedModel,
  type ModelContents,
  ModelError,
  modelOn,
  parseModel,
  type Program,
  resolveWindow,
  segment,
} from '@quickcolumn/predict';
import { RuntimeError } from '@quickcolumn/runtimes';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Size3, type Volume } from '@quickcolumn/volume';
import { type OpenedRuntime, openRuntime } from './open-runtime.js';
import {
  type BrowserPrediction,
  type ModelInfo,
  type OpenRequest,
  type PredictProgress,
  type RuntimeInfo,
  runtimeInfoOf,
  type ScanOptions,
  type Stage,
} from './protocol.js';

export interface Session {
  /** Of the runtime that is used now. */
  readonly info: ModelInfo;
  /** @throws as the readers of `@quickcolumn/io` and `predictScan` do; RuntimeError for a device asked for by name */
  predict(files: readonly NamedBlob[], options: ScanOptions, hooks: Hooks): Promise<BrowserPrediction>;
}

interface Hooks {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PredictProgress) => void;
}

/**
 * @param open opens what runs the model: `openRuntime`, or what a test puts in its place
 * @throws ModelError, QuickcolumnError `runtime` or `file` (the address of a model cannot be fetched)
 */
export async function openSession(
  request: OpenRequest,
  open: (request: OpenRequest) => Promise<OpenedRuntime> = openRuntime,
): Promise<Session> {
  const contents = await parseModel(await modelBytes(request), request.name);
  let opened = await open(request);
  let network = networkOn(contents, opened);
  /** How to get a runtime where there is none any more. */
  let next: (() => OpenedRuntime | Promise<OpenedRuntime>) | undefined;
  const about = { metadata: contents.metadata, name: request.name, sha256: contents.file.sha256 };
  const infoNow = (): ModelInfo => ({ ...runtimeInfoOf(opened), ...about });
  return {
    get info() {
      return infoNow();
    },
    async predict(files, options, hooks) {
      const start = performance.now();
      for (;;) {
        if (next !== undefined) {
          opened = await next();
          network = networkOn(contents, opened);
        }
        next = undefined;
        try {
          const ready = { ...network, info: infoNow(), program: request.program };
          return await predict(ready, files, options, { ...hooks, start });
        } catch (error) {
          if (opened.runtime !== 'webgpu' || !isDeviceFailure(error)) throw error;
          const { instead, close } = opened;
          await network.dispose();
          close?.();
          next = instead === undefined ? () => open(request) : () => instead(error.message);
          if (instead === undefined) throw error;
          if (hooks.signal.aborted) throw interrupted(files);
        }
      }
    },
  };
}

/** Of a device that is gone, too small, or does not what it should: another one may do better. */
const deviceFailures: readonly unknown[] = ['device-lost', 'memory', 'failed', 'validation', 'shader'];

const isDeviceFailure = (error: unknown): error is RuntimeError =>
  error instanceof RuntimeError && deviceFailures.includes(error.fields['reason']);

/** The model on the runtime that is used now. */
interface Network {
  readonly model: LoadedModel;
  readonly compiledFor: (patch: Size3) => Promise<CompiledModel>;
  dispose(): Promise<void>;
}

interface Ready extends Network {
  readonly info: ModelInfo;
  readonly program: Program;
}

async function predict(
  { model, info, program, compiledFor }: Ready,
  files: readonly NamedBlob[],
  options: ScanOptions,
  { signal, onProgress, start }: Hooks & { readonly start: number },
): Promise<BrowserPrediction> {
  const { withScan = false, assume, ...settings } = options;
  const about: RuntimeInfo = runtimeInfoOf(info);
  const report = (stage: Stage, done = 0, total = 0): void => onProgress({ ...about, stage, done, total });
  report('read');
  const { properties, notes, ...scan } = await readVolumeBlobs(files, { assume });
  const name = files[0].name;
  const maskName = volumePath(volumeBase(name), 'nifti');
  const compiled = await compiledFor(resolveWindow(model, settings).patch);
  let [windowsStart, windowSeconds] = [0, 0];
  report('prepare');
  const { labels, quantities, sidecar } = await segment(model, scan, {
    ...settings,
    name,
    readingNotes: notes,
    signal,
    files: { scan: name, mask: maskName },
    program,
    compiled: {
      batch: compiled.batch,
      async run(image) {
        await turn();
        if (signal.aborted) throw interrupted(files);
        if (windowsStart === 0) windowsStart = performance.now();
        return await compiled.run(image);
      },
      dispose: () => undefined,
    },
    onProgress({ done, total }) {
      report('windows', done, total);
      if (done < total) return;
      windowSeconds = (performance.now() - windowsStart) / 1000;
      report('restore');
    },
  });
  report('write');
  const mask = await encodeVolumeBlob(labels, maskName, { like: properties, description: labelsDescription });
  const seconds = (performance.now() - start) / 1000;
  const shown = withScan ? { scan: plainVolume(scan) } : {};
  return { ...about, mask, labels, quantities, sidecar, seconds, windowSeconds, ...shown };
}

const plainVolume = ({ voxels, size, affine }: Volume): Volume => ({ voxels, size, affine });

const interrupted = ([{ name }]: readonly NamedBlob[]): QuickcolumnError =>
  new QuickcolumnError('interrupted', `${name}: prediction was interrupted`);

/** Keeps the network that was compiled last: scans in a row have the same window. */
function networkOn(contents: ModelContents, { engine }: OpenedRuntime): Network {
  const model = modelOn(contents, { runtime: engine, precision: engine.precision });
  let last: { readonly key: string; readonly compiled: CompiledModel } | undefined;
  const dispose = async (): Promise<void> => {
    await last?.compiled.dispose();
    last = undefined;
  };
  return {
    model,
    dispose,
    async compiledFor(patch) {
      const key = patch.join();
      if (last?.key === key) return last.compiled;
      await dispose();
      last = { key, compiled: await model.compile(patch, model.windowsAtOnce) };
      return last.compiled;
    },
  };
}

async function modelBytes({ model, name }: OpenRequest): Promise<Uint8Array> {
  if (model instanceof ArrayBuffer) return new Uint8Array(model);
  const blob = typeof model === 'string' ? await fetchBlob(model) : model;
  if (blob.size > largestModelBytes) {
    throw new ModelError(name, `${blob.size} bytes, more than the limit of ${largestModelBytes}`);
  }
  return new Uint8Array(await blob.arrayBuffer());
}

/** From the page's own origin only: whoever wants another one's model fetches it and gives the bytes. */
async function fetchBlob(url: string): Promise<Blob> {
  const refuse = (problem: string, options?: { cause?: unknown }): QuickcolumnError =>
    new QuickcolumnError('file-read', `${url}: cannot fetch the model: ${problem}`, { url }, options);
  const response = await fetch(url, { mode: 'same-origin' }).catch((cause: unknown) => {
    throw refuse(`${(cause as Error).message}; only addresses of the page's own origin are fetched`, { cause });
  });
  if (!response.ok) throw refuse(`the server answered ${response.status} ${response.statusText}`);
  return await response.blob();
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
