/**
 * The example's page: choose a model and a scan, predict, look, save. All of it happens on this computer; nothing is sent
 * anywhere. The predictor is kept while model and runtime stay the same, so that the next scan starts at once.
 */
import { createPredictor, type BrowserPrediction, type Predictor, type PredictProgress } from '../index.js';
import { byId } from './elements.js';
import { clear, show, startViewer } from './viewer.js';

const form = byId('form', HTMLFormElement);
const modelInput = byId('model', HTMLInputElement);
const scanInput = byId('scan', HTMLInputElement);
const runtimeSelect = byId('runtime', HTMLSelectElement);
const start = byId('start', HTMLButtonElement);
const cancel = byId('cancel', HTMLButtonElement);
const bar = byId('progress', HTMLProgressElement);
const status = byId('status', HTMLElement);
const reason = byId('reason', HTMLElement);
const downloads = byId('downloads', HTMLElement);

const stageTexts: Readonly<Record<PredictProgress['stage'], string>> = {
  read: 'reading the scan',
  prepare: 'preparing the scan',
  windows: 'predicting',
  restore: "putting the mask on the scan's grid",
  write: 'writing the mask',
};

let kept: { readonly model: File; readonly runtime: string; readonly predictor: Predictor } | undefined;
let stop: AbortController | undefined;

async function predictorFor(model: File, runtime: 'auto' | 'webgpu' | 'wasm'): Promise<Predictor> {
  if (kept?.model === model && kept.runtime === runtime) return kept.predictor;
  kept?.predictor.dispose();
  kept = undefined;
  const predictor = await createPredictor({ model, runtime });
  kept = { model, runtime, predictor };
  return predictor;
}

async function predict(model: File, scan: readonly File[], signal: AbortSignal): Promise<void> {
  clear();
  withdraw();
  tell('opening the model');
  reason.textContent = '';
  const predictor = await predictorFor(model, runtimeSelect.value as 'auto' | 'webgpu' | 'wasm');
  reason.textContent = predictor.info.reason;
  const result = await predictor.predict(scan, {
    withScan: true,
    signal,
    onProgress({ stage, done, total, reason: now }) {
      // It changes when a graphics card fails.
      reason.textContent = now;
      const count = stage === 'windows' ? `, window ${done} of ${total}` : '';
      tell(stageTexts[stage] + count, stage === 'windows' ? done / total : stage === 'write' ? 1 : undefined);
    },
  });
  tell(
    [
      `done in ${result.seconds.toFixed(1)} s`,
      ...(result.sidecar.notes ?? []),
      ...result.sidecar.doubts.map(({ message }) => `warning: ${message}`),
    ].join('; '),
    1,
  );
  show(result);
  offer(result);
}

function tell(text: string, share?: number): void {
  status.textContent = text;
  status.className = '';
  if (share === undefined) bar.removeAttribute('value');
  else bar.value = share;
}

let addresses: string[] = [];

function withdraw(): void {
  for (const address of addresses) URL.revokeObjectURL(address);
  addresses = [];
  downloads.replaceChildren();
}

function offer({ mask, sidecar }: BrowserPrediction): void {
  const json = new Blob([`${JSON.stringify(sidecar, null, 2)}\n`], { type: 'application/json' });
  const files = [
    { name: sidecar.mask, what: 'the mask', blob: mask },
    { name: sidecar.mask.replace(/\.nii\.gz$/, '.json'), what: 'volumes and origin', blob: json },
  ];
  addresses = files.map(({ blob }) => URL.createObjectURL(blob));
  downloads.replaceChildren(
    ...files.map(({ name, what }, i) => {
      const link = document.createElement('a');
      Object.assign(link, { href: addresses[i], download: name, textContent: `Save ${what} (${name})` });
      return link;
    }),
  );
}

function setBusy(busy: boolean): void {
  for (const input of [modelInput, scanInput, runtimeSelect, start]) input.disabled = busy;
  cancel.disabled = !busy;
  bar.hidden = !busy;
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const [model] = modelInput.files ?? [];
  const scan = [...(scanInput.files ?? [])];
  if (model === undefined || scan.length === 0) return;
  stop = new AbortController();
  setBusy(true);
  predict(model, scan, stop.signal)
    .catch((error: Error & { code?: string }) => {
      tell(error.code === 'interrupted' ? 'cancelled' : error.message, 0);
      status.className = error.code === 'interrupted' ? '' : 'error';
    })
    .finally(() => setBusy(false));
});
cancel.addEventListener('click', () => {
  stop?.abort();
  tell('stopping after this window');
});
setBusy(false);
startViewer();
