/**
 * Checking a dataset before anything is trained on it: pairs, geometry, label values, intensity scales, near-empty cases,
 * duplicates and patients on both sides of a split. One case is in memory at a time; of each only facts are kept.
 *
 * `error` is what training and prediction refuse or what would spoil their numbers; `warning` is for a person to judge. The
 * list of @quickcolumn/defects says which is which.
 */
import { createHash } from 'node:crypto';
import { type DefectKind, scanDefects } from '@quickcolumn/defects';
import { type HeaderAssumptions, readLabels, readVolume } from '@quickcolumn/io';
import { type ListedCase, patientOf } from '@quickcolumn/cases';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type LabelMap, mapLabels } from '@quickcolumn/pipeline';
import {
  axisCodes,
  intensityScaleOf,
  type LabelClass,
  reorient,
  spacingMm,
  type Volume,
  voxelVolumeMm3,
} from '@quickcolumn/volume';
import { acrossCases } from './check-across.js';
import { geometryDifference } from './geometry-difference.js';
import { type CaseFacts, type CheckReport, type Finding, findingOf } from './report.js';

/** A case while its voxels are in memory. */
export interface CheckedVolumes {
  readonly facts: CaseFacts;
  readonly image: Volume;
  readonly labels?: Volume<Uint8Array>;
}

export interface CheckOptions {
  /** A class with less than this is called near-empty; default 1 ml. */
  readonly nearEmptyMl?: number;
  /** Value of voxels that nobody has annotated; no class, and no error. */
  readonly ignoreLabel?: number;
  /** What values of the label files become first. */
  readonly labels?: LabelMap;
  /**
   * What a case and its patient are called in the results. Messages of readers, which name files, are then left out.
   */
  readonly shownAs?: (entry: ListedCase) => { readonly name: string; readonly patient: string };
  /** Defects of scans that are let pass: they become warnings. */
  readonly accept?: readonly DefectKind[];
  /** What is known of files whose headers do not say it. */
  readonly assume?: HeaderAssumptions;
  /** Called before each case. */
  readonly onCase?: (name: string, index: number) => void;
  /** Called with each case that could be read, for pictures; the volumes are not kept. */
  readonly onVolumes?: (volumes: CheckedVolumes) => void;
}

/** Checks all cases; problems with files become findings, nothing is thrown for them. */
export async function checkDataset(
  cases: readonly ListedCase[],
  classes: readonly LabelClass[],
  options: CheckOptions = {},
): Promise<CheckReport> {
  const facts: CaseFacts[] = [];
  const findings: Finding[] = [];
  for (const [index, entry] of cases.entries()) {
    const shown = options.shownAs?.(entry);
    options.onCase?.((shown ?? entry).name, index);
    const checked = await checkCase(entry, classes, { findings, options, shown });
    if (checked === undefined) continue;
    facts.push(checked.facts);
    options.onVolumes?.(checked);
  }
  findings.push(...acrossCases(facts));
  return { cases: facts, findings };
}

async function checkCase(
  entry: ListedCase,
  classes: readonly LabelClass[],
  context: {
    findings: Finding[];
    options: CheckOptions;
    shown?: { readonly name: string; readonly patient: string };
  },
): Promise<CheckedVolumes | undefined> {
  const { split } = entry;
  const { name, patient } = context.shown ?? entry;
  const { assume, accept = [], nearEmptyMl = 1 } = context.options;
  const found: Report = (kind, message, about) => {
    context.findings.push(findingOf(kind, [name], `${name}: ${message}`, about));
  };
  const orReport = async <T>(read: Promise<T>): Promise<T | undefined> =>
    await read.catch((error: unknown) => {
      if (!(error instanceof QuickcolumnError)) throw error;
      const message = `cannot be read (${error.code}); the reason names files and is not shown`;
      found('unreadable', context.shown === undefined ? error.message : message);
      return undefined;
    });
  const image = await orReport(readVolume(entry.imagePath, { assume }));
  const file = entry.labelPath === undefined ? undefined : await orReport(readLabels(entry.labelPath, { assume }));
  const rules = { classes, labels: context.options.labels };
  const labels = file && { ...file, voxels: mapLabels(file.voxels, rules) };
  if (entry.labelPath === undefined && split !== 'test') found('no-label', 'has no label map');
  if (image === undefined) return undefined;
  const scanned = scanDefects(image);
  for (const { kind, message } of scanned) found(kind, message, { accepted: accept.includes(kind) });
  // Numbers that are none have no place among facts.
  if (scanned.some(({ kind }) => kind === 'not-finite')) return undefined;
  const basics = {
    name,
    patient,
    split,
    size: image.size,
    spacingMm: spacingMm(image.affine),
    axes: axisCodes(image.affine),
    scale: intensityScaleOf(image.voxels),
    ...rangeOf(image),
    voxelSha256: hashVoxels(image),
  };
  const named = patientOf(entry.name);
  if (named !== entry.patient && named !== entry.name) {
    const says = context.shown === undefined ? named : 'another one';
    found('patient-name', `listed as patient ${patient}, but its name says ${says}`);
  }
  if (labels === undefined) return { facts: basics, image };
  const { verdict, description } = geometryDifference(image, labels);
  if (verdict !== 'same') {
    const advice = verdict === 'different' ? 'these may be the labels of another scan' : 'harmless, it can be repaired';
    const message = `labels are not on the image's grid: ${description}; ${advice}`;
    found('grid', message, { fixable: verdict !== 'different' });
  }
  const classVoxels = checkClasses(labels, classes, { found, nearEmptyMl, ignoreLabel: context.options.ignoreLabel });
  return { facts: { ...basics, geometry: verdict, classVoxels }, image, labels };
}

type Report = (
  kind: DefectKind,
  message: string,
  about?: { readonly fixable?: boolean; readonly accepted?: boolean },
) => void;

function rangeOf({ voxels }: Volume): Pick<CaseFacts, 'min' | 'max'> {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of voxels) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max };
}

function checkClasses(
  labels: Volume<Uint8Array>,
  classes: readonly LabelClass[],
  context: { found: Report; nearEmptyMl: number; ignoreLabel: number | undefined },
): number[] {
  const { found, nearEmptyMl, ignoreLabel } = context;
  const counts = new Float64Array(256);
  for (const value of labels.voxels) counts[value]++;
  const declared = new Set([...classes.map(({ value }) => value), ignoreLabel]);
  const others = [...counts.entries()].filter(([value, count]) => count > 0 && !declared.has(value));
  if (others.length > 0) {
    const list = others.slice(0, 5).map(([value, count]) => `${value} (${count} voxels)`);
    const known = classes.map(({ value, name }) => `${value} ${name}`).join(', ');
    found('label-value', `label values ${list.join(', ')} that no class declares; declared: ${known}`);
  }
  const voxelMl = voxelVolumeMm3(labels.affine) / 1000;
  for (const { value, name } of classes) {
    const ml = counts[value] * voxelMl;
    if (value === 0 || ml >= nearEmptyMl) continue;
    const amount = counts[value] === 0 ? 'no voxel' : `${counts[value]} voxels (${ml.toFixed(3)} ml)`;
    found('near-empty', `${amount} of ${name}`);
  }
  return classes.map(({ value }) => counts[value]);
}

/** The same scan gives the same hash, in whatever type and order of axes it is stored. */
function hashVoxels(image: Volume): string {
  const { voxels, size } = reorient(image);
  const hash = createHash('sha256').update(size.join('×'));
  const chunk = new Float64Array(1 << 16);
  for (let at = 0; at < voxels.length; at += chunk.length) {
    const part = voxels.subarray(at, at + chunk.length);
    chunk.set(part);
    hash.update(new Uint8Array(chunk.buffer, 0, part.length * 8));
  }
  return hash.digest('hex');
}
