/** The Web Worker: takes requests, answers them in order, and hears `cancel` in between. Started by predictor.ts. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { errorToJson } from '@quickcolumn/errors';
import { type Answer, type Request } from './protocol.js';
import { openSession, type Session } from './session.js';

/** What is used of DedicatedWorkerGlobalScope, whose types do not go together with those of a page. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: MessageEvent<Request>) => void): void;
  postMessage(answer: Answer, transfer: readonly Transferable[]): void;
}
const scope = globalThis as unknown as WorkerScope;
const answer = (message: Answer, transfer: readonly Transferable[] = []): void => scope.postMessage(message, transfer);

let session: Session | undefined;
let queue: Promise<void> = Promise.resolve();
const running = new Map<number, AbortController>();

async function handle(request: Exclude<Request, { kind: 'cancel' }>, signal: AbortSignal): Promise<void> {
  const { id } = request;
  if (request.kind === 'open') {
    session = await openSession(request.open);
    answer({ kind: 'opened', id, info: session.info });
    return;
  }
  if (session === undefined) throw new QuickcolumnError('usage', 'open a model first');
  if (signal.aborted) throw new QuickcolumnError('interrupted', 'prediction was interrupted before it began');
  const onProgress = (progress: Extract<Answer, { kind: 'progress' }>['progress']): void =>
    answer({ kind: 'progress', id, progress });
  const prediction = await session.predict(request.files, request.options, { signal, onProgress });
  const { labels, scan } = prediction;
  const buffers = [labels.voxels.buffer, ...(scan === undefined ? [] : [scan.voxels.buffer])];
  answer({ kind: 'predicted', id, prediction }, [...new Set(buffers)] as ArrayBuffer[]);
}

scope.addEventListener('message', ({ data: request }) => {
  const { id } = request;
  if (request.kind === 'cancel') {
    running.get(id)?.abort();
    return;
  }
  const controller = new AbortController();
  running.set(id, controller);
  queue = queue
    .then(() => handle(request, controller.signal))
    .catch((error: unknown) => answer({ kind: 'failed', id, error: errorToJson(error) }))
    .finally(() => running.delete(id));
});
