/**
 * Checking a dataset before anything is trained on it: pairs, geometry, label values, intensity scales, near-empty cases,
 * duplicates and patients on both sides of a split. One case is in memory at a time; of each only facts are kept.
 *
 * `error` is what training would refuse or what would spoil its numbers; `warning` is for a person to judge.
 */
import { createHash } from 'node:crypto';
import { readLabels, readVolume } from '@quickcolumn/io';
import { type ListedCase, patientOf } from '@quickcolumn/cases';
import { detectScale } from '@quickcolumn/pipeline';
import { QuickcolumnError } from '@quickcolumn/errors';
import { axisCodes, type IntensityScale, type LabelClass, reorient, spacingMm, type Volume } from '@quickcolumn/volume';
import { acrossCases } from './check-across.js';
import { geometryDifference } from './geometry-difference.js';
import type { CaseFacts, CheckReport, Finding, FindingKind } from './report.js';

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
  /**
   * What a case and its patient are called in the results. Messages of readers, which name files, are then left out.
   */
  readonly shownAs?: (entry: ListedCase) => { readonly name: string; readonly patient: string };
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
    const checked = await checkCase(entry, classes, {
      findings,
      nearEmptyMl: options.nearEmptyMl ?? 1,
      ignoreLabel: options.ignoreLabel,
      shown,
    });
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
    nearEmptyMl: number;
    ignoreLabel: number | undefined;
    shown?: { readonly name: string; readonly patient: string };
  },
): Promise<CheckedVolumes | undefined> {
  const { split } = entry;
  const { name, patient } = context.shown ?? entry;
  const found = (kind: FindingKind, severity: Finding['severity'], message: string, fixable: boolean = false): void => {
    context.findings.push({ kind, severity, cases: [name], message: `${name}: ${message}`, fixable });
  };
  const orReport = async <T>(read: Promise<T>): Promise<T | undefined> =>
    await read.catch((error: unknown) => {
      if (!(error instanceof QuickcolumnError)) throw error;
      const message = `cannot be read (${error.code}); the reason names files and is not shown`;
      found('unreadable', 'error', context.shown === undefined ? error.message : message);
      return undefined;
    });
  const image = await orReport(readVolume(entry.imagePath));
  const labels = entry.labelPath === undefined ? undefined : await orReport(readLabels(entry.labelPath));
  if (entry.labelPath === undefined && split !== 'test') found('no-label', 'error', 'has no label map');
  if (image === undefined) return undefined;
  const intensity = describeIntensity(image, name, found);
  if (intensity === undefined) return undefined;
  const basics = {
    name,
    patient,
    split,
    size: image.size,
    spacingMm: spacingMm(image.affine),
    axes: axisCodes(image.affine),
    ...intensity,
    voxelSha256: hashVoxels(image),
  };
  const named = patientOf(entry.name);
  if (named !== entry.patient && named !== entry.name) {
    const says = context.shown === undefined ? named : 'another one';
    found('patient', 'warning', `listed as patient ${patient}, but its name says ${says}`);
  }
  if (labels === undefined) return { facts: basics, image };
  const { verdict, description } = geometryDifference(image, labels);
  if (verdict !== 'same') {
    const advice = verdict === 'different' ? 'these may be the labels of another scan' : 'harmless, it can be repaired';
    found(
      'geometry',
      'error',
      `labels are not on the image's grid: ${description}; ${advice}`,
      verdict !== 'different',
    );
  }
  const classVoxels = checkClasses(labels, classes, { ...context, found });
  return { facts: { ...basics, geometry: verdict, classVoxels }, image, labels };
}

type Report = (kind: FindingKind, severity: Finding['severity'], message: string) => void;

function describeIntensity(
  image: Volume,
  name: string,
  found: Report,
): Pick<CaseFacts, 'scale' | 'min' | 'max'> | undefined {
  let scale: IntensityScale;
  try {
    scale = detectScale(image.voxels, name);
  } catch (error) {
    if (!(error instanceof QuickcolumnError)) throw error;
    found('intensity', 'error', error.message.replace(`${name}: `, ''));
    return undefined;
  }
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of image.voxels) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min === max) found('intensity', 'error', `every voxel is ${min}: no image`);
  else if (scale === '0-255' && max > 255) {
    const guess = min >= 0 && max > 1000 ? ' (HU + 1024?)' : '';
    found('intensity', 'error', `values from ${min} to ${max} are neither HU nor 0–255${guess}`);
  }
  return { scale, min, max };
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
    found('label-value', 'error', `label values ${list.join(', ')} that no class declares; declared: ${known}`);
  }
  const [dx, dy, dz] = spacingMm(labels.affine);
  for (const { value, name } of classes) {
    const ml = (counts[value] * dx * dy * dz) / 1000;
    if (value === 0 || ml >= nearEmptyMl) continue;
    const amount = counts[value] === 0 ? 'no voxel' : `${counts[value]} voxels (${ml.toFixed(3)} ml)`;
    found('near-empty', 'warning', `${amount} of ${name}`);
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
