/**
 * Augmented training patches made ahead of time in worker threads, so that training does not wait for them.
 *
 * Sample number n of a run is fixed by (seed, epoch, index in the epoch) alone: neither the number of workers, nor
 * the queue, nor the place where an interrupted run starts again changes a single voxel. Scans live in shared memory,
 * once for all threads; finished patches are transferred and then belong to the consumer.
 */
import { Worker } from 'node:worker_threads';
import { QuickcolumnError } from '@quickcolumn/errors';
import { createRandom } from '@quickcolumn/random';
import { type Size3 } from '@quickcolumn/volume';
import type { AugmentationConfig, MirrorClass, Oversampling, SoftVotes } from '../augment/index.js';
import type { SampleReply, SampleRequest, SharedCase, WorkerSetup } from './sample-messages.js';

/** A prepared scan to draw patches from: z-scored image and labels, x fastest, on an LPS grid of `size` voxels. */
export interface TrainingCase {
  readonly name: string;
  readonly image: Float32Array;
  readonly labels: Uint8Array;
  /** What teachers say of it: samples then have a `truth`. All cases have votes, or none. */
  readonly votes?: SoftVotes | undefined;
  readonly size: Size3;
  /** Prepared value of air. */
  readonly airValue: number;
}

export interface SamplePoolOptions {
  /** Copied into shared memory, unless their arrays already lie there (`shareCase`). */
  readonly cases: readonly TrainingCase[];
  readonly classes: readonly MirrorClass[];
  readonly augmentation: AugmentationConfig;
  /** Voxels along x, y, z. */
  readonly patch: Size3;
  /** Classes that patches contain more often than by chance; default none. */
  readonly oversampling?: readonly Oversampling[];
  readonly seed: number;
  /** steps per epoch × batch. */
  readonly samplesPerEpoch: number;
  /** Samples an earlier run has already used; default 0. */
  readonly startAt?: number;
  /** Threads; default 1. */
  readonly workers?: number;
  /** Patches made ahead, at most; default 4. */
  readonly queue?: number;
  /** Shared memory for spline coefficients, at most; default 1 GiB. Scans beyond it are filtered when needed. */
  readonly splineBytes?: number;
}

/** One sample, [D, H, W] with x fastest. */
export interface TrainingSample {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
  /** Of a case with votes: the share of each class, labels included, [C, D, H, W]. */
  readonly truth?: Float32Array | undefined;
  readonly caseName: string;
}

/** Code 'sample-pool': bad options, or a worker that failed (see cause). */
export class SamplePoolError extends QuickcolumnError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('sample-pool', message, {}, options);
  }
}

/** The same case with image and labels in shared memory. Lets the caller drop its own copy before the pool starts. */
export function shareCase(entry: TrainingCase): TrainingCase {
  const { image, labels, votes } = entry;
  return {
    ...entry,
    image: image.buffer instanceof SharedArrayBuffer ? image : copyInto(new Float32Array(shared(image)), image),
    labels: sharedBytes(labels),
    ...(votes && { votes: { ...votes, packed: sharedBytes(votes.packed) } }),
  };
}

function sharedBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? bytes : copyInto(new Uint8Array(shared(bytes)), bytes);
}

function shared(array: Float32Array | Uint8Array): SharedArrayBuffer {
  return new SharedArrayBuffer(array.byteLength);
}

function copyInto<T extends Float32Array | Uint8Array>(target: T, source: T): T {
  target.set(source);
  return target;
}

/**
 * Epoch, index and case of sample number `number`. Cases come in shuffled rounds: each appears once before any
 * appears twice, across epoch borders too.
 */
export function sampleRequest(
  number: number,
  options: { readonly seed: number; readonly samplesPerEpoch: number; readonly cases: number },
): SampleRequest {
  const { seed, samplesPerEpoch, cases } = options;
  const round = Math.floor(number / cases);
  const order = createRandom({ seed, epoch: round, sample: 0 }, 'shuffle').permutation(cases);
  const key = { seed, epoch: Math.floor(number / samplesPerEpoch), sample: number % samplesPerEpoch };
  return { number, caseIndex: order[number % cases], key };
}

interface Waiting {
  readonly resolve: (sample: TrainingSample) => void;
  readonly reject: (error: Error) => void;
}

/** Starts its threads at once; `dispose()` ends them. One consumer, which calls next() once per sample, in order. */
export class SamplePool {
  private readonly options: SamplePoolOptions;
  private readonly cases: readonly SharedCase[];
  private readonly workers: Worker[];
  private readonly idle: Worker[];
  private readonly queue: number;
  private readonly ready = new Map<number, TrainingSample>();
  private readonly waiting = new Map<number, Waiting>();
  private requested: number;
  private delivered: number;
  private failure: SamplePoolError | undefined;
  private waited = 0;
  private firstNext: number | undefined;

  constructor(options: SamplePoolOptions) {
    checkOptions(options);
    this.options = options;
    this.queue = options.queue ?? 4;
    this.requested = options.startAt ?? 0;
    this.delivered = this.requested;
    this.cases = withSpline(options.cases.map(shareCase), options);
    const { classes, augmentation, patch, oversampling = [] } = options;
    // Only what crosses to the workers: a caller's richer objects may hold things that cannot be cloned.
    const setup: WorkerSetup = {
      cases: this.cases,
      classes: classes.map(({ value, mirror }) => ({ value, mirror })),
      augmentation,
      patch,
      oversampling,
    };
    this.workers = Array.from({ length: options.workers ?? 1 }, () => this.startWorker(setup));
    this.idle = [...this.workers];
    this.fill();
  }

  /** The next sample of the run. Rejects with SamplePoolError when a worker failed or after dispose(). */
  async next(): Promise<TrainingSample> {
    const begin = performance.now();
    this.firstNext ??= begin;
    if (this.failure) throw this.failure;
    const number = this.delivered++;
    let sample = this.ready.get(number);
    if (sample) {
      this.ready.delete(number);
      this.fill();
      return sample;
    }
    this.fill();
    // Workers keep the process alive only while somebody waits for them.
    for (const worker of this.workers) worker.ref();
    try {
      sample = await new Promise<TrainingSample>((resolve, reject) => {
        this.waiting.set(number, { resolve, reject });
      });
    } finally {
      this.waited += performance.now() - begin;
      if (this.waiting.size === 0) for (const worker of this.workers) worker.unref();
    }
    return sample;
  }

  /** Milliseconds the consumer has waited in next(), over the life of the pool. */
  get waitedMs(): number {
    return this.waited;
  }

  /** Share of the time since the first next() that the consumer waited, 0 to 1. */
  get waitedShare(): number {
    return this.firstNext === undefined ? 0 : this.waited / Math.max(1e-3, performance.now() - this.firstNext);
  }

  /** Ends the threads; pending and later next() calls reject. Safe to call twice. */
  async dispose(): Promise<void> {
    this.fail(new SamplePoolError('the sample pool was disposed'));
    this.ready.clear();
    await Promise.all(this.workers.map((worker) => worker.terminate()));
  }

  private startWorker(workerData: WorkerSetup): Worker {
    const worker = new Worker(workerUrl(), { workerData });
    worker.unref();
    worker.on('message', (reply: SampleReply) => this.receive(worker, reply));
    worker.on('error', (cause) => this.fail(new SamplePoolError('a sample worker stopped', { cause })));
    worker.on('exit', (code) => this.fail(new SamplePoolError(`a sample worker ended with code ${code}`)));
    return worker;
  }

  /** Gives every idle worker its next request while the queue has room. */
  private fill(): void {
    const { seed, samplesPerEpoch, cases } = this.options;
    while (!this.failure && this.requested < this.delivered + this.queue) {
      const worker = this.idle.pop();
      if (!worker) return;
      worker.postMessage(sampleRequest(this.requested++, { seed, samplesPerEpoch, cases: cases.length }));
    }
  }

  private receive(worker: Worker, reply: SampleReply): void {
    if (this.failure) return;
    const { number } = reply;
    const { seed, samplesPerEpoch, cases } = this.options;
    const { caseIndex } = sampleRequest(number, { seed, samplesPerEpoch, cases: cases.length });
    const caseName = this.cases[caseIndex].name;
    if ('error' in reply) {
      const cause = QuickcolumnError.fromJSON(reply.error);
      this.fail(new SamplePoolError(`augmenting sample ${number} (${caseName}) failed: ${cause.message}`, { cause }));
      return;
    }
    const { image, labels, truth } = reply;
    const sample: TrainingSample = { image, labels, truth, caseName };
    const consumer = this.waiting.get(number);
    if (consumer) {
      this.waiting.delete(number);
      consumer.resolve(sample);
    } else {
      this.ready.set(number, sample);
    }
    this.idle.push(worker);
    this.fill();
  }

  /** The first failure is the one that is reported. */
  private fail(error: SamplePoolError): void {
    this.failure ??= error;
    for (const { reject } of this.waiting.values()) reject(this.failure);
    this.waiting.clear();
  }
}

/** Starts a pool. Throws SamplePoolError on options that cannot work. */
export function createSamplePool(options: SamplePoolOptions): SamplePool {
  return new SamplePool(options);
}

/** Reserves shared memory for spline coefficients, case by case, until the budget is used up. */
function withSpline(cases: readonly TrainingCase[], options: SamplePoolOptions): SharedCase[] {
  const { rotation, scaling, elastic } = options.augmentation;
  const spatial = Math.max(rotation.probability, scaling.probability, elastic.probability) > 0;
  let left = spatial ? (options.splineBytes ?? 2 ** 30) : 0;
  return cases.map(({ name, image, labels, votes, size, airValue }) => {
    const plain = { name, image, labels, votes, size, airValue };
    if (image.byteLength > left) return plain;
    left -= image.byteLength;
    const coefficients = new Float32Array(new SharedArrayBuffer(image.byteLength));
    return { ...plain, spline: { state: new Int32Array(new SharedArrayBuffer(4)), coefficients } };
  });
}

function checkOptions(options: SamplePoolOptions): void {
  const { cases, classes, patch, samplesPerEpoch, startAt = 0, workers = 1, queue = 4 } = options;
  if (cases.length === 0) throw new SamplePoolError('there is no case to draw samples from');
  for (const { name, image, labels, votes, size } of cases) {
    const voxels = size[0] * size[1] * size[2];
    if (image.length !== voxels || labels.length !== voxels) {
      throw new SamplePoolError(
        `${name}: ${image.length} image and ${labels.length} label voxels, expected ${voxels} for ${size.join('×')}`,
      );
    }
    if ((votes === undefined) !== (cases[0].votes === undefined)) {
      throw new SamplePoolError(`only one of ${cases[0].name} and ${name} has votes; expected all cases or none to`);
    }
    if (votes !== undefined && votes.packed.length !== classes.length * voxels) {
      throw new SamplePoolError(
        `${name}: ${votes.packed.length} votes, expected ${classes.length} classes × ${voxels} voxels`,
      );
    }
  }
  const whole = { samplesPerEpoch, workers, queue, 'patch[0]': patch[0], 'patch[1]': patch[1], 'patch[2]': patch[2] };
  for (const [name, value] of Object.entries(whole)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new SamplePoolError(`${name} is ${value}, expected a whole number of at least 1`);
    }
  }
  if (!Number.isInteger(startAt) || startAt < 0) {
    throw new SamplePoolError(`startAt is ${startAt}, expected a whole number of at least 0`);
  }
}

/** The compiled worker, also when this file itself runs from source (vitest); a thread cannot load TypeScript. */
function workerUrl(): URL {
  return new URL('./sample-worker.js', import.meta.url.replace(/\/src\/(samples\/[^/]*)$/, '/dist/$1'));
}
