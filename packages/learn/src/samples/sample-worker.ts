/** Worker thread of the sample pool: answers each request with one augmented patch, transferred, not copied. */
import { parentPort, workerData } from 'node:worker_threads';
import { errorToJson } from '@quickcolumn/errors';
import { augmentPatch } from '../augment/index.js';
import type { SampleReply, SampleRequest, WorkerSetup } from './sample-messages.js';
import { createSplineReader } from './shared-spline.js';

const port = parentPort;
if (!port) throw new Error('sample-worker runs only as a worker thread of the sample pool');

const { cases, classes, augmentation, patch, oversampling } = workerData as WorkerSetup;
const readSpline = createSplineReader();

port.on('message', ({ number, caseIndex, key }: SampleRequest) => {
  try {
    const scan = cases[caseIndex];
    const source = { ...scan, classes, coefficients: (): Float32Array => readSpline(scan) };
    const { image, labels, truth } = augmentPatch(source, augmentation, patch, { ...key, oversampling });
    const moved = [image.buffer, labels.buffer, ...(truth === undefined ? [] : [truth.buffer])];
    port.postMessage({ number, image, labels, truth } satisfies SampleReply, moved);
  } catch (cause) {
    port.postMessage({ number, error: errorToJson(cause) } satisfies SampleReply);
  }
});
