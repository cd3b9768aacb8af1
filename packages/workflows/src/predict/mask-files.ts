/** The files that a scan's prediction consists of, and what of them is there from an earlier one. */
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { readLabels } from '@quickcolumn/io';
import { type LoadedModel, makingDifference, type MaskMaking } from '@quickcolumn/predict';
import type { LabelClass, Volume } from '@quickcolumn/volume';
import { exists, OutputError } from '../folders/outputs.js';
import { readSidecar } from '../scans/own-masks.js';
import type { MaskTarget } from './mask-targets.js';

/** Paths of all masks, those in volume formats first. */
export function masksOf({ maskPaths, segPath }: Pick<MaskTarget, 'maskPaths' | 'segPath'>): string[] {
  return [...maskPaths, segPath].filter((path) => path !== undefined);
}

/** The file of each class's probabilities, relative to the sidecar's folder. */
export function probabilityFiles({ sidecarPath }: MaskTarget, classes: readonly LabelClass[]): string[] {
  const name = basename(sidecarPath, '.json');
  return classes.map((one) => join('probabilities', `${name}_${one.value}_${fileSafe(one.name)}.nii.gz`));
}

/** The map of disagreement, relative to the sidecar's folder. */
export function disagreementFile({ sidecarPath }: MaskTarget): string {
  return join('disagreement', `${basename(sidecarPath, '.json')}_disagreement.nii.gz`);
}

const fileSafe = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60);

/** What a mask that is there was made of. */
export interface ExistingMask {
  /** Of the scan; undefined where its sidecar does not say. */
  readonly scanSha256: string | undefined;
}

/**
 * What `skipExisting` finds for a scan: a mask that is complete and was made as it would be made now, or undefined where it
 * is to be made: there is nothing, or what an interrupted prediction of the same kind left.
 * @throws OutputError for files that are there and were made otherwise, unless `force` replaces them
 */
export async function existingMask(
  target: MaskTarget,
  {
    model,
    making,
    maps,
    force,
  }: {
    readonly model: LoadedModel;
    readonly making: MaskMaking;
    /** Probabilities and the map of disagreement that are asked for, relative to the sidecar's folder. */
    readonly maps: readonly string[];
    readonly force: boolean;
  },
): Promise<ExistingMask | undefined> {
  const { sidecarPath } = target;
  const masks = masksOf(target);
  const present: string[] = [];
  for (const path of [...masks, sidecarPath]) if (await exists(path)) present.push(path);
  if (present.length === 0) return undefined;
  const sidecar = await readSidecar(sidecarPath);
  const difference = makingDifference(sidecar, model, making);
  if (difference !== undefined) {
    if (force) return undefined;
    throw new OutputError(`${present[0]} exists and was made with ${difference}; choose another folder`, present[0], {
      options: { force: 'replace it' },
    });
  }
  for (const file of maps) {
    if (!(await exists(join(dirname(sidecarPath), file)))) return undefined;
  }
  if (present.length <= masks.length || !(await masksAreWhole(target))) return undefined;
  const { scan } = sidecar as { readonly scan?: { readonly sha256?: string } };
  return { scanSha256: scan?.sha256 };
}

async function masksAreWhole({ maskPaths }: MaskTarget): Promise<boolean> {
  for (const path of maskPaths) {
    const whole = await readLabels(path).then(
      () => true,
      () => false,
    );
    if (!whole) return false;
  }
  return true;
}

/** Of a scan's voxels, grid and place, lower-case hex. */
export function contentSha256({ voxels, size, affine }: Volume): string {
  const hash = createHash('sha256').update(JSON.stringify([voxels.constructor.name, size, affine]));
  return hash.update(new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength)).digest('hex');
}
