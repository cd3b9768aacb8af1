/**
 * A dataset on disk: one folder of images and one of labels, matched by file name, and the patient of every case.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { volumeExtensions, volumeName } from '@quickcolumn/io';
import { DatasetError } from './dataset-error.js';
import { type PatientMap, patientOf } from './patient.js';

export interface DatasetCase {
  /** File name without the extension. */
  readonly name: string;
  readonly imagePath: string;
  readonly labelPath: string;
  readonly patient: string;
  /** Set where a list says it: never validated on, or always. */
  readonly role?: CaseRole;
}

/** A case that need not have a label. */
export interface ScanCase extends Omit<DatasetCase, 'labelPath'> {
  readonly labelPath?: string | undefined;
}

export type CaseRole = 'train-only' | 'validation';

/**
 * The cases of {images, labels}, sorted by name: volumes (NAME.nii.gz, NAME.nrrd, …) of the same name, other files are ignored.
 * Throws DatasetError when a folder cannot be read, an image has no label or a label no image, a name occurs twice,
 * there is no case at all, or `patients` names a case that is not there.
 */
export async function listCases(
  folders: { readonly images: string; readonly labels: string },
  options: { readonly patients?: PatientMap } = {},
): Promise<DatasetCase[]> {
  const [images, labels] = await Promise.all([listVolumes(folders.images), listVolumes(folders.labels)]);
  const unlabelled = [...images.keys()].filter((name) => !labels.has(name)).map((name) => images.get(name) ?? name);
  const imageless = [...labels.keys()].filter((name) => !images.has(name)).map((name) => labels.get(name) ?? name);
  const problems: string[] = [];
  if (unlabelled.length > 0) problems.push(`no label in ${folders.labels} for ${unlabelled.sort().join(', ')}`);
  if (imageless.length > 0) problems.push(`no image in ${folders.images} for ${imageless.sort().join(', ')}`);
  if (problems.length > 0) {
    throw new DatasetError(`${problems.join('; ')}; an image and its label need the same file name`, { ...folders });
  }
  if (images.size === 0) {
    throw new DatasetError(`${folders.images}: no ${volumeExtensions} file in this folder`, { ...folders });
  }
  const stray = Object.keys(options.patients ?? {}).filter((name) => !images.has(name));
  if (stray.length > 0) {
    throw new DatasetError(`patients: ${stray.join(', ')} is not a case of ${folders.images}`, { ...folders });
  }
  return [...images.keys()].sort().map((name) => ({
    name,
    imagePath: join(folders.images, images.get(name) ?? ''),
    labelPath: join(folders.labels, labels.get(name) ?? ''),
    patient: patientOf(name, options.patients),
  }));
}

/** Case name → file name. */
async function listVolumes(folder: string): Promise<Map<string, string>> {
  let files: string[];
  try {
    files = await readdir(folder);
  } catch (cause) {
    const expected = `expected a folder of ${volumeExtensions} files`;
    throw new DatasetError(`${folder}: cannot list this folder; ${expected}`, { folder }, { cause });
  }
  const found = new Map<string, string>();
  for (const file of files.sort()) {
    const name = volumeName(file);
    if (name === undefined) continue;
    const twin = found.get(name);
    if (twin !== undefined) {
      throw new DatasetError(`${folder}: ${twin} and ${file} are the same case; remove one of them`, { folder, file });
    }
    found.set(name, file);
  }
  return found;
}
