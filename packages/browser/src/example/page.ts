/**
 * The example's page: choose a scan, predict with the pretrained model or another one, look, save. All of it happens on this
 * computer; nothing is sent anywhere. The predictor is kept while model and runtime stay the same, so that the next scan
 * starts at once.
 */
import { modelLine } from '@quickcolumn/predict';
import { createPredictor, type BrowserPrediction, type Predictor, type PredictProgress } from '../index.js';
import { byId, textElement } from './elements.js';
import { checkPretrained, findPretrained, type Pretrained } from './pretrained.js';
import { clear, show, startViewer } from './viewer.js';

const form = byId('form', HTMLFormElement);
const modelInput = byId('model', HTMLInputElement);
const terms = byId('terms', HTMLElement);
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

let pretrained: Pretrained | undefined;
let kept: { readonly model: File | URL; readonly runtime: string; readonly predictor: Predictor } | undefined;
let stop: AbortController | undefined;

async function predictorFor(model: File | URL, runtime: 'auto' | 'webgpu' | 'wasm'): Promise<Predictor> {
  if (kept?.model === model && kept.runtime === runtime) return kept.predictor;
  kept?.predictor.dispose();
  kept = undefined;
  const predictor = await createPredictor({ model, runtime });
  const { info } = predictor;
  try {
    if (pretrained?.url === model) checkPretrained(pretrained, info);
  } catch (error) {
    predictor.dispose();
    throw error;
  }
  showTerms({ file: info.name, terms: info.metadata.terms, notes: info.metadata.notes });
  kept = { model, runtime, predictor };
  return predictor;
}

async function predict(model: File | URL, scan: readonly File[], signal: AbortSignal): Promise<void> {
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

/** What must be known of the model that is used, its licence as a link. */
function showTerms(model: Parameters<typeof modelLine>[0]): void {
  terms.textContent = modelLine(model);
  if (model.terms === undefined) return;
  const link = Object.assign(textElement('a', 'licence'), { href: model.terms.licence.url, target: '_blank' });
  terms.append(`. ${model.terms.attribution} `, link);
}

async function offerPretrained(): Promise<void> {
  const found = await findPretrained();
  if (typeof found === 'string') {
    modelInput.required = true;
    terms.textContent = `${found}: choose a model.onnx`;
    return;
  }
  pretrained = found;
  tell('choose a scan');
  showTerms({ file: 'model.onnx', terms: found.terms });
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
  const model = modelInput.files?.[0] ?? pretrained?.url;
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
await offerPretrained();
