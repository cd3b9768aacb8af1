/**
 * Repairing what is harmless: label maps whose grid is the image's but for rounding or the order of axes are written anew
 * on the image's grid, into another folder. Originals are never touched.
 */
import { join, resolve } from 'node:path';
import {
  type HeaderAssumptions,
  labelsDescription,
  makeFolder,
  readLabels,
  readVolume,
  writeFileAtomic,
  writeVolume,
} from '@quickcolumn/io';
import { formatCaseList, type ListedCase } from '@quickcolumn/cases';
import { axisCodes, reorient } from '@quickcolumn/volume';
import type { CheckReport } from './report.js';

/**
 * Writes `folder`/labels/NAME.nii.gz for every case that can be repaired, and `folder`/cases.csv of all cases, which names
 * the repaired label maps in the place of the originals. Returns the names of the repaired cases.
 */
export async function writeFixed(
  cases: readonly ListedCase[],
  report: CheckReport,
  folder: string,
  options: { readonly force?: boolean; readonly assume?: HeaderAssumptions } = {},
): Promise<string[]> {
  const root = resolve(folder);
  const { assume } = options;
  const wanted = new Set(report.findings.filter(({ fixable }) => fixable).flatMap((finding) => finding.cases));
  await makeFolder(join(root, 'labels'));
  const fixed: ListedCase[] = [];
  for (const entry of cases) {
    const { name, imagePath, labelPath } = entry;
    if (!wanted.has(name) || labelPath === undefined) {
      fixed.push(entry);
      continue;
    }
    const image = await readVolume(imagePath, { assume });
    const turned = reorient(await readLabels(labelPath, { assume }), axisCodes(image.affine));
    const target = join(root, 'labels', `${name}.nii.gz`);
    const { properties: like, size, affine } = image;
    await writeVolume(
      target,
      { voxels: turned.voxels, size, affine },
      { like, force: options.force, description: labelsDescription },
    );
    fixed.push({ ...entry, labelPath: target });
  }
  await writeFileAtomic(join(root, 'cases.csv'), formatCaseList(fixed, root));
  return [...wanted];
}
