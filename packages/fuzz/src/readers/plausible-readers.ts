/**
 * Damage as it happens to whole scans, against one property: the volume that comes out is the undamaged one, or there is an
 * error or a note. What is silent and wrong is a finding. Each case goes the way of `predict`, up to the first window.
 */
import { judge, scanDefects } from '@quickcolumn/defects';
import { encodeVolumeBlob } from '@quickcolumn/io';
import { scanInputs } from '@quickcolumn/workflows';
import { type Affine, reorient, type Volume } from '@quickcolumn/volume';
import { niftiDamages } from '../plausible/damage-nifti.js';
import { studyDamages } from '../plausible/damage-dicom.js';
import { makeStudy, studyFiles, type Truth } from '../plausible/study.js';
import { makeZip } from '../seeds/zip-writer.js';
import type { FuzzReader } from './reader.js';

const study = makeStudy(1);
const other = makeStudy(2).slices;

/** Reads and judges as `predict` does. @throws for what is silently wrong */
async function readTruly(path: string): Promise<void> {
  const { notes, problem } = await readAndCompare(path);
  if (notes.length === 0 && problem !== undefined) throw new Error(`silent: ${problem}`);
}

/** What `predict` would tell of a scan, and how it differs from the undamaged one. Throws what `predict` would. */
export async function readAndCompare(
  path: string,
): Promise<{ readonly notes: readonly string[]; readonly problem?: string }> {
  const [input] = await scanInputs([path]);
  const { volume, notes: read, close } = await input.load();
  close();
  const notes = [...read, ...judge(path, scanDefects(volume))];
  const problem = differs(volume, study.truth);
  return { notes, ...(problem !== undefined && { problem }) };
}

/** How the volume differs from the truth where the lungs are; elsewhere no mask can be wrong. */
function differs(read: Volume, { volume, lungPlanes }: Truth): string | undefined {
  const [a, b] = [reorient(read), reorient(volume)];
  if (a.size[0] !== b.size[0] || a.size[1] !== b.size[1]) return `${a.size.join('×')} voxels`;
  const up = b.affine[10];
  const first = Math.round((a.affine[11] - b.affine[11]) / up);
  const expected = [...b.affine];
  expected[11] += first * up;
  if (apart(a.affine, expected) > 1e-2) return `affine ${a.affine.map((value) => value.toFixed(3)).join(' ')}`;
  if (first < 0 || first > lungPlanes[0] || first + a.size[2] <= lungPlanes[1]) {
    return `planes ${first} to ${first + a.size[2]}; lungs from ${lungPlanes.join(' to ')}`;
  }
  const plane = a.size[0] * a.size[1];
  let wrong = 0;
  for (let at = lungPlanes[0] * plane; at < (lungPlanes[1] + 1) * plane; at++) {
    if (Math.abs(a.voxels[at - first * plane] - b.voxels[at]) > 0.5) wrong++;
  }
  return wrong === 0 ? undefined : `${wrong} of ${a.voxels.length} voxels`;
}

const apart = (a: Affine, b: Affine): number => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

/** Studies of single images, in an archive. */
export const studyReader: FuzzReader = {
  name: 'study',
  seeds: async () => {
    const bytes = makeZip(studyFiles(study.slices));
    return Object.keys(studyDamages).map((name) => ({ name, extension: '.zip', bytes }));
  },
  vary: ({ name }, random) => makeZip(studyFiles(studyDamages[name](study.slices, random, other))),
  read: async (path) => await readTruly(path),
};

/** Scans that were converted. */
export const convertedReader: FuzzReader = {
  name: 'converted',
  seeds: async () => {
    const blob = await encodeVolumeBlob(study.truth.volume, 'scan.nii');
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return Object.keys(niftiDamages).map((name) => ({ name, extension: '.nii', bytes }));
  },
  vary: ({ name, bytes }, random) => {
    const copy = Uint8Array.from(bytes);
    return copy.subarray(0, niftiDamages[name](new DataView(copy.buffer), random) ?? copy.length);
  },
  read: async (path) => await readTruly(path),
};
