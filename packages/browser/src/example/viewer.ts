/** The viewer of the example's page: one slice of the scan with the classes over it, a legend, and their volumes. */
import { reorient, type Volume } from '@quickcolumn/volume';
import type { BrowserPrediction } from '../protocol.js';
import { byId, textElement } from './elements.js';
import { paintSlice, type Plane, pixelMm, planes, planeSize, richestSlice } from './slices.js';

const windows = {
  lung: [-1350, 150],
  'soft tissue': [-160, 240],
} as const;

interface Shown {
  readonly scan: Volume;
  readonly labels: Volume<Uint8Array>;
  readonly classes: BrowserPrediction['sidecar']['classes'];
  readonly inHu: boolean;
}

const canvas = byId('slice', HTMLCanvasElement);
const slider = byId('position', HTMLInputElement);
const planeSelect = byId('plane', HTMLSelectElement);
const windowSelect = byId('window', HTMLSelectElement);
const opacity = byId('opacity', HTMLInputElement);
const where = byId('where', HTMLElement);
const legend = byId('legend', HTMLElement);

let shown: Shown | undefined;
const hidden = new Set<number>();

/** Shows a prediction that was made with `withScan`, at the slice with most of its last class. */
export function show({ scan, labels, sidecar }: BrowserPrediction): void {
  if (scan === undefined) return;
  const { classes } = sidecar;
  hidden.clear();
  shown = { scan: reorient(scan), labels: reorient(labels), classes, inHu: sidecar.scan.scale === 'hu' };
  windowSelect.disabled = !shown.inHu;
  drawLegend(classes);
  byId('scan-name', HTMLElement).textContent = sidecar.scan.name;
  byId('viewer', HTMLElement).hidden = false;
  choosePlane();
}

/** Shows nothing, so that no mask is taken for that of another scan. */
export function clear(): void {
  shown = undefined;
  legend.replaceChildren();
  byId('viewer', HTMLElement).hidden = true;
}

function choosePlane(): void {
  if (shown === undefined) return;
  const plane = planeSelect.value as Plane;
  const [, , count] = planeSize(shown.scan, plane);
  const found = shown.classes.toReversed().find(({ value, voxels }) => value > 0 && voxels > 0);
  slider.max = String(count - 1);
  slider.value = String(richestSlice(shown.labels, plane, found?.value ?? 0));
  draw();
}

function draw(): void {
  if (shown === undefined) return;
  const { scan, labels, classes, inHu } = shown;
  const plane = planeSelect.value as Plane;
  const [width, height, count] = planeSize(scan, plane);
  const [acrossMm, downMm] = pixelMm(scan, plane);
  const colors = new Map(
    classes.filter(({ value }) => value > 0 && !hidden.has(value)).map(({ value, color }) => [value, color]),
  );
  const window = inHu ? windows[windowSelect.value as keyof typeof windows] : ([0, 255] as const);
  const look = { window, colors, opacity: Number(opacity.value) / 100 };
  const pixels = paintSlice(scan, labels, plane, Number(slider.value), look);
  canvas.width = width;
  canvas.height = height;
  canvas.style.setProperty('--ratio', String((width * acrossMm) / (height * downMm)));
  canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0);
  where.textContent = `slice ${Number(slider.value) + 1} of ${count}`;
  const edges =
    plane === 'sagittal' ? ['A', 'P', 'S', 'I'] : ['R', 'L', ...(plane === 'axial' ? ['A', 'P'] : ['S', 'I'])];
  ['left', 'right', 'top', 'bottom'].forEach((side, i) => {
    byId(`edge-${side}`, HTMLElement).textContent = edges[i];
  });
}

function drawLegend(classes: Shown['classes']): void {
  legend.replaceChildren(
    ...classes
      .filter(({ value }) => value > 0)
      .map(({ value, name, color, volumeMl }) => {
        const row = document.createElement('label');
        const box = document.createElement('input');
        box.type = 'checkbox';
        box.checked = true;
        box.addEventListener('change', () => {
          if (box.checked) hidden.delete(value);
          else hidden.add(value);
          draw();
        });
        const swatch = textElement('span', '', 'swatch');
        swatch.style.background = `rgb(${color.join(' ')})`;
        row.append(box, swatch, textElement('span', name), textElement('output', `${volumeMl.toFixed(1)} ml`));
        return row;
      }),
  );
}

/** Fills the lists and listens; once, when the page is there. */
export function startViewer(): void {
  planeSelect.replaceChildren(...planes.map((plane) => textElement('option', plane)));
  windowSelect.replaceChildren(...Object.keys(windows).map((name) => textElement('option', name)));
  planeSelect.addEventListener('change', choosePlane);
  for (const input of [slider, windowSelect, opacity]) input.addEventListener('input', draw);
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      slider.value = String(Number(slider.value) + Math.sign(event.deltaY));
      draw();
    },
    { passive: false },
  );
}
