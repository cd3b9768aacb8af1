/**
 * Pseudo-labels (Lee 2013; for CT of COVID-19 Fan et al., Inf-Net, 2020): a model's own predictions as labels of scans that nobody
 * has annotated, where it is sure. A voxel keeps its class when that class's probability reaches the confidence; all
 * others get the label to ignore, which counts in no loss.
 *
 * The trap is measuring on them: they are of the split `train-only`, never validation or test, and scans of
 * patients who are validated or tested on are left out.
 */
import { join } from 'node:path';
import { makeFolder, writeVolume } from '@quickcolumn/io';
import { type ListedCase, patientOf } from '@quickcolumn/cases';
import type { LabelClass } from '@quickcolumn/volume';
import { QuickcolumnError } from '@quickcolumn/errors';
import type { PseudoLabelledScan } from '../jobs/pseudo-label.js';
import type { ScanPredictor } from '../predict/scan-predictor.js';

/** A scan without a label. */
export interface UnlabelledScan {
  readonly name: string;
  readonly path: string;
  readonly patient: string;
}

export interface ScanChoice {
  readonly chosen: readonly UnlabelledScan[];
  /** Why each of the others is left out. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
}

/** Which scans may get pseudo-labels beside the labelled cases. */
export function chooseScans(scans: readonly UnlabelledScan[], labelled: readonly ListedCase[]): ScanChoice {
  const names = new Set(labelled.map(({ name }) => name));
  const held = new Map(
    labelled.filter(({ split }) => split === 'test' || split === 'validation').map((entry) => [entry.patient, entry]),
  );
  const chosen: UnlabelledScan[] = [];
  const leftOut: { name: string; reason: string }[] = [];
  for (const scan of scans) {
    const twin = held.get(scan.patient);
    if (names.has(scan.name)) leftOut.push({ name: scan.name, reason: 'is among the labelled cases' });
    else if (twin !== undefined)
      leftOut.push({
        name: scan.name,
        reason: `is of patient ${scan.patient}, as ${twin.name} of the split ${twin.split}`,
      });
    else chosen.push(scan);
  }
  return { chosen, leftOut };
}

/** Scans of files, whose names tell their patients. */
export function scansOfFiles(files: readonly { readonly name: string; readonly path: string }[]): UnlabelledScan[] {
  return files.map(({ name, path }) => ({ name, path, patient: patientOf(name) }));
}

/** The value of voxels without a pseudo-label. @throws QuickcolumnError `usage` when a class has it */
export function ignoreValue(classes: readonly LabelClass[], ofModel?: number): number {
  const value = ofModel ?? 255;
  const taken = classes.find((one) => one.value === value);
  if (taken === undefined) return value;
  throw new QuickcolumnError(
    'usage',
    `${value} marks voxels without a label, but is the value of the model's class '${taken.name}'; ` +
      'train with other label values, or with preparation.ignoreLabel',
  );
}

/** Replaces what the model is not sure of, in place. */
function keepConfident(
  labels: Uint8Array,
  largest: Float32Array,
  { confidence, ignore }: { readonly confidence: number; readonly ignore: number },
): void {
  // Probabilities are float32 and resampled: a softmax of exactly 1 may have become a little less.
  const limit = confidence - 1e-6;
  for (let i = 0; i < labels.length; i++) if (!(largest[i] >= limit)) labels[i] = ignore;
}

/**
 * Predicts one scan and writes its pseudo-label as FOLDER/NAME.nii.gz, unless too little of it is left.
 * @returns what was kept; it is not used where that is less than `minimumVoxels` beside the background
 */
export async function pseudoLabel(
  predictor: ScanPredictor,
  scan: UnlabelledScan,
  options: {
    readonly folder: string;
    readonly confidence: number;
    readonly ignore: number;
    readonly minimumVoxels: number;
  },
): Promise<PseudoLabelledScan> {
  let largest = new Float32Array();
  const { labels, properties } = await predictor.predict(scan, (index, probability) => {
    if (index === 0) {
      largest = Float32Array.from(probability);
      return;
    }
    for (let i = 0; i < probability.length; i++) if (probability[i] > largest[i]) largest[i] = probability[i];
  });
  keepConfident(labels.voxels, largest, options);
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.voxels.length; i++) counts[labels.voxels[i]]++;
  const { classes } = predictor.model.metadata.preparation;
  const kept = classes.reduce((sum, { value }) => sum + counts[value], 0);
  const result = {
    name: scan.name,
    keptShare: kept / labels.voxels.length,
    voxels: Object.fromEntries(classes.map(({ value, name }) => [name, counts[value]])),
    foreground: kept - counts[0],
  };
  if (result.foreground < options.minimumVoxels) return { ...result, used: false };
  await makeFolder(options.folder);
  const path = join(options.folder, `${scan.name}.nii.gz`);
  await writeVolume(path, labels, { like: properties, description: 'quickcolumn pseudo-labels' });
  return { ...result, used: true };
}
