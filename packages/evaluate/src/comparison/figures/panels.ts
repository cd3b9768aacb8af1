/**
 * Figs. 2 and 3: one slice of a case as image, truth and one panel per system with its Dice, in rows.
 *
 * The pixels are PNG, the labels SVG text, so that they stay sharp in print. All panels show the same slice, the one with
 * the most of the focus class in the truth; the Dice below a panel is that of the whole scan, not of the slice.
 */
import { encodePng } from '@quickcolumn/io';
import type { LabelClass, Volume } from '@quickcolumn/volume';
import { EvaluationError } from '../../errors.js';
import { captionHeight, captionWidth, drawCaption } from '../../overlay/captions.js';
import { drawPanels, focusOf, sliceWithMost } from '../../overlay/overlay.js';
import { text } from '../../report/chart-parts.js';
import { pngDataUri } from '../../report/html.js';
import { fixed } from '../../report/table.js';
import { fittingText, frameSvg } from './figure-parts.js';
import type { CaseRow, ComparisonStatistics } from '../result.js';

/** A case's scan, truth and predictions, all on the scan's grid. */
export interface CaseImages {
  readonly image: Volume;
  readonly truth: Volume<Uint8Array>;
  readonly predictions: ReadonlyArray<{ readonly id: string; readonly labels: Volume<Uint8Array> }>;
}

export interface ChosenCase {
  readonly name: string;
  /** Best, median, worst or chosen. */
  readonly why: string;
}

const gap = 8;
const captionRoom = 22;

/** Best, median and worst case by mean Dice of the focus region, then the named ones; each case once. */
export function chooseCases(statistics: ComparisonStatistics, named: readonly string[]): ChosenCase[] {
  const ranked = statistics.cases
    .filter((row) => row.focusDice !== null)
    .sort((a, b) => (b.focusDice ?? 0) - (a.focusDice ?? 0));
  const chosen: ChosenCase[] = [];
  const add = (row: CaseRow | undefined, why: string): void => {
    if (row !== undefined && !chosen.some((entry) => entry.name === row.name)) chosen.push({ name: row.name, why });
  };
  add(ranked[0], 'best');
  add(ranked[Math.floor((ranked.length - 1) / 2)], 'median');
  add(ranked.at(-1), 'worst');
  for (const name of named) {
    const row = statistics.cases.find((entry) => entry.name === name);
    if (row === undefined) {
      throw new EvaluationError(
        `no case '${name}' to show; the comparison has ${statistics.cases.map((entry) => entry.name).join(', ')}`,
        { case: name },
      );
    }
    add(row, 'chosen');
  }
  return chosen;
}

/** The figure of one case, and its slice: SVG with PNG panels and sharp text, and all of it as one PNG. */
export function caseFigure(
  images: CaseImages,
  row: CaseRow,
  statistics: ComparisonStatistics,
  classes: readonly LabelClass[],
): { svg: string; png: Uint8Array; slice: number } {
  const { image, truth, predictions } = images;
  const focus = focusOf(classes);
  const inTruth = truth.voxels.includes(focus);
  const maps = [
    { name: 'truth', labels: truth },
    ...predictions.map(({ id, labels }) => ({ name: `${row.name}: prediction of ${id}`, labels })),
  ];
  const hasLungs = statistics.shownRegions.includes('lungs');
  const columns = maps.length + 1 <= 5 ? maps.length + 1 : 5;
  const width = Math.floor((1180 - (columns - 1) * gap) / columns);
  const { panels, height, slice } = drawPanels(image, maps, classes, {
    slice: sliceWithMost(inTruth ? [truth] : maps.map(({ labels }) => labels), focus),
    // Pixels for print: twice the size on the screen.
    panelWidth: width * 2,
    opacity: 0.25,
    // Without lungs the box of the labels would show a lesion and nothing around it.
    ...(hasLungs ? { cropMarginMm: 12 } : {}),
  });
  const shownHeight = height / 2;
  const values = row.dice[statistics.focus];
  const labels = [
    ['image', ''],
    ['truth', ''],
    ...predictions.map(({ id }) => [id, `DSC ${fixed(values[id] ?? null, 3)}`]),
  ];
  const rows = Math.ceil(panels.length / columns);
  const rowHeight = shownHeight + captionRoom + gap;
  const total = { width: columns * (width + gap) - gap, height: rows * rowHeight - gap };
  const picture = whitePicture(total.width * 2, Math.round(total.height * 2));
  const parts = panels.map((rgb, n) => {
    const x = (n % columns) * (width + gap);
    const y = Math.floor(n / columns) * rowHeight;
    drawPanel(picture, { rgb, width: width * 2, height }, [x * 2, Math.round(y * 2)], labels[n]);
    const uri = pngDataUri(encodePng(width * 2, height, rgb));
    const [name, dice] = labels[n];
    return (
      `<image x="${x}" y="${y}" width="${width}" height="${shownHeight}" href="${uri}"/>` +
      fittingText(x, y + shownHeight + 15, name, width - (dice === '' ? 0 : 72), ' font-weight="600"') +
      (dice === '' ? '' : text(x + width, y + shownHeight + 15, dice, 'end'))
    );
  });
  return {
    svg: frameSvg(`${row.name}, slice ${slice}`, total.width, total.height, parts.join('\n')),
    png: encodePng(picture.width, picture.height, picture.rgb),
    slice,
  };
}

interface Picture {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

function whitePicture(width: number, height: number): Picture {
  return { rgb: new Uint8Array(width * height * 3).fill(255), width, height };
}

/** Copies a panel into the picture and writes its name and Dice below. */
function drawPanel(
  picture: Picture,
  panel: Picture,
  [left, top]: readonly [number, number],
  [name, dice]: readonly string[],
): void {
  for (let y = 0; y < panel.height; y++) {
    const row = panel.rgb.subarray(y * panel.width * 3, (y + 1) * panel.width * 3);
    picture.rgb.set(row, ((top + y) * picture.width + left) * 3);
  }
  const style = { scale: 2, level: 20 };
  const y = top + panel.height + captionRoom - captionHeight;
  const reserved = captionWidth(dice, style.scale);
  drawCaption(picture, name, { x: left, y, width: panel.width - reserved }, style);
  drawCaption(picture, dice, { x: left + panel.width - reserved, y, width: reserved }, style);
}
