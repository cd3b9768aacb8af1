/**
 * Folders that a `dataset.json` describes: Medical Segmentation Decathlon (medicaldecathlon.com) and nnU-Net raw,
 * version 1 and 2 (nnU-Net documentation, "dataset_format.md").
 *
 * They differ in little: nnU-Net's images end in `_0000` (one file a channel), version 2 turns `labels` round (name →
 * value) and names its files by `file_ending` instead of a list. Trap: paths in the file come from whoever made it, so
 * they must stay below the folder.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { volumeName } from '@quickcolumn/io';
import { DatasetError, type ListedCase, patientOf } from '@quickcolumn/cases';
import { z } from 'zod';
import type { LabelClass } from '@quickcolumn/volume';
import { isThere } from './is-there.js';
import { classesFromNames } from './label-classes.js';
import type { ImportedDataset } from './imported.js';

const imageEntry = z.union([z.string(), z.looseObject({ image: z.string() })]);
const names = z.record(z.string(), z.string());
const descriptionSchema = z.looseObject({
  name: z.string().optional(),
  licence: z.string().optional(),
  labels: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.number())])),
  modality: names.optional(),
  channel_names: names.optional(),
  file_ending: z.string().optional(),
  training: z.array(z.looseObject({ image: z.string(), label: z.string() })).optional(),
  test: z.array(imageEntry).optional(),
});
type Description = z.infer<typeof descriptionSchema>;

const largestDescription = 64 * 2 ** 20;
const channel = /_\d{4}$/;

/** @throws DatasetError when dataset.json is missing or wrong, or a file that it names is not there. */
export async function importJson(root: string): Promise<ImportedDataset> {
  const file = join(root, 'dataset.json');
  const description = await readDescription(file);
  const channels = Object.values(description.channel_names ?? description.modality ?? { 0: 'CT' });
  if (channels.length !== 1) {
    const problem = `${channels.length} channels (${channels.join(', ')}); expected one image a case`;
    throw new DatasetError(`${file}: ${problem}`, { file });
  }
  const training =
    description.training === undefined ? await listedByName(root, description) : await listedByFile(root, description);
  const numbered = training.some(({ imagePath }) => channel.test(volumeName(imagePath) ?? ''));
  const isNnunet = numbered || description.channel_names !== undefined;
  const taken = new Set(training.map(({ name }) => name));
  const { cases: tests, missing } = await testCases(root, description, taken);
  const { name = 'dataset', licence } = description;
  return {
    layout: isNnunet ? 'nnunet' : 'msd',
    root,
    title: `${name} (${isNnunet ? 'nnU-Net raw' : 'Medical Segmentation Decathlon'})`,
    cases: [...training, ...tests].sort((a, b) => (a.name < b.name ? -1 : 1)),
    classes: labelClasses(description.labels, file),
    notes: [
      ...(licence === undefined ? [] : [`Licence according to dataset.json: ${licence}`]),
      ...(/^(ct|hu)$/i.test(channels[0]) ? [] : [`The images are '${channels[0]}', not CT.`]),
      ...(tests.length > 0
        ? [`${tests.length} test images have no labels; they are listed and never trained on.`]
        : []),
      ...(missing.length > 0
        ? [
            `${missing.length} test images that dataset.json names are not there: ${missing.slice(0, 5).join(', ')}; left out.`,
          ]
        : []),
    ],
  };
}

async function readDescription(file: string): Promise<Description> {
  let value: unknown;
  try {
    if ((await stat(file)).size > largestDescription) throw new Error(`larger than ${largestDescription} bytes`);
    value = JSON.parse((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new DatasetError(`${file}: cannot read it as JSON (${(cause as Error).message})`, { file }, { cause });
  }
  const parsed = descriptionSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DatasetError(`${file}: ${issue.path.join('.') || 'content'}: ${issue.message}`, { file });
}

/** MSD and nnU-Net 1: the cases that `training` lists. */
async function listedByFile(root: string, { training = [] }: Description): Promise<ListedCase[]> {
  if (training.length === 0) throw new DatasetError(`${root}: dataset.json lists no training case`, { root });
  const cases: ListedCase[] = [];
  for (const { image, label } of training) {
    const labelPath = inside(root, label);
    await requireFile(labelPath, root);
    const imagePath = await imageFile(inside(root, image), root);
    cases.push(listed(volumeName(labelPath) ?? label, imagePath, labelPath));
  }
  return unique(cases, root);
}

/** nnU-Net 2: every file of labelsTr, with its image beside it in imagesTr. */
async function listedByName(root: string, { file_ending: ending = '.nii.gz' }: Description): Promise<ListedCase[]> {
  const labels = await folderFiles(join(root, 'labelsTr'), ending);
  const images = new Set(
    (await folderFiles(join(root, 'imagesTr'), ending)).map((file) => file.slice(0, -ending.length)),
  );
  const cases: ListedCase[] = [];
  for (const file of labels) {
    const name = file.slice(0, -ending.length);
    if (images.has(`${name}_0001`)) throw new DatasetError(`${root}: ${name} has more than one channel`, { root });
    cases.push(listed(name, await imageFile(join(root, 'imagesTr', file), root), join(root, 'labelsTr', file)));
    images.delete(`${name}_0000`);
    images.delete(name);
  }
  if (images.size > 0) throw new DatasetError(`${root}: no label in labelsTr for ${[...images].join(', ')}`, { root });
  if (cases.length === 0) throw new DatasetError(`${root}/labelsTr: no ${ending} file in this folder`, { root });
  return unique(cases, root);
}

/** Images without labels: those that `test` lists, or nnU-Net's folder imagesTs. Missing ones are left out and told. */
async function testCases(
  root: string,
  description: Description,
  taken: ReadonlySet<string>,
): Promise<{ readonly cases: ListedCase[]; readonly missing: readonly string[] }> {
  const { test, file_ending: ending = '.nii.gz' } = description;
  const named = test?.map((entry) => inside(root, typeof entry === 'string' ? entry : entry.image));
  const folder = join(root, 'imagesTs');
  const paths =
    named ?? (await folderFiles(folder, ending).catch((): string[] => [])).map((file) => join(folder, file));
  const cases: ListedCase[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    const imagePath = await imageFile(path, root).catch(() => undefined);
    if (imagePath === undefined) missing.push(relative(root, path));
    const name = volumeName(path)?.replace(channel, '');
    if (imagePath === undefined || name === undefined || taken.has(name)) continue;
    cases.push({ name, imagePath, patient: patientOf(name), split: 'test' });
  }
  return { cases: unique(cases, root), missing };
}

function listed(name: string, imagePath: string, labelPath: string): ListedCase {
  return { name, imagePath, labelPath, patient: patientOf(name), split: 'train' };
}

function unique(cases: ListedCase[], root: string): ListedCase[] {
  const seen = new Set<string>();
  for (const { name } of cases) {
    if (seen.has(name)) throw new DatasetError(`${root}: two cases are named ${name}`, { root });
    seen.add(name);
  }
  return cases;
}

/** The image as named, or with nnU-Net's channel number. */
async function imageFile(path: string, root: string): Promise<string> {
  const name = volumeName(path);
  if (name === undefined) throw new DatasetError(`${path}: not the name of a volume`, { root });
  if (await isThere(path)) return path;
  const ending = path.slice(path.lastIndexOf(name) + name.length);
  const [first, second] = ['_0000', '_0001'].map((number) => path.slice(0, -ending.length) + number + ending);
  if (await isThere(second)) throw new DatasetError(`${root}: ${name} has more than one channel`, { root });
  if (await isThere(first)) return first;
  throw new DatasetError(`${path}: no such file, nor ${first}; is the archive unzipped completely?`, { root });
}

function inside(root: string, path: string): string {
  const isOutside =
    isAbsolute(path) || /^[a-z]:/i.test(path) || path.split(/[\\/]/).includes('..') || path.includes('\0');
  if (isOutside) {
    throw new DatasetError(`${root}: dataset.json names ${JSON.stringify(path)}, which is outside of the folder`, {
      root,
    });
  }
  return resolve(root, path);
}

function labelClasses(labels: Description['labels'], file: string): readonly LabelClass[] {
  const pairs = Object.entries(labels).map(([key, value]): [number, string] => {
    // Value → name as in MSD, or name → value as in nnU-Net 2, where the value may be written as a text.
    if (typeof value === 'string') return /^\d+$/.test(key) ? [Number(key), value] : [Number(value), key];
    if (typeof value === 'number') return [value, key];
    throw new DatasetError(`${file}: labels.${key}: a region of several values; expected one value a class`, { file });
  });
  const ignored = pairs.find(([, name]) => name.toLowerCase() === 'ignore');
  if (ignored !== undefined) {
    throw new DatasetError(`${file}: labels: value ${ignored[0]} is 'ignore', which training does not know`, { file });
  }
  return classesFromNames(pairs, file);
}

async function folderFiles(folder: string, ending: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((file) => file.endsWith(ending) && !file.startsWith('.')).sort();
  } catch (cause) {
    throw new DatasetError(`${folder}: cannot list this folder (${(cause as Error).message})`, { folder }, { cause });
  }
}

async function requireFile(path: string, root: string): Promise<void> {
  if (!(await isThere(path))) throw new DatasetError(`${path}: no such file, though dataset.json names it`, { root });
}
