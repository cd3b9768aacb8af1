/**
 * Damage as it happens to whole scans, against one property: the volume that comes out is the undamaged one, or there is an
 * error or a note. What is silent and wrong is a finding. Each case goes the way of `predict`, up to the first window.
 */
import { judgeScan } from '@quickcolumn/defects';
import { encodeVolumeBlob } from '@quickcolumn/io';
import { scanInputs } from '@quickcolumn/workflows';
import { type Affine, reorient, type Volume } from '@quickcolumn/volume';
import { niftiDamages } from '../plausible/damage-nifti.js';
import { studyDamages } from '../plausible/damage-dicom.js';
import { makeStudy, studyFiles, type Truth } from '../plausible/study.js';
import { makeZip } from '../seeds/zip-writer.js';
import type { Random } from '../mutation/random.js';
import type { FuzzReader, FuzzSeed } from './reader.js';

const study = makeStudy(1);
const other = makeStudy(2).slices;

/** Reads and judges as `predict` does. @throws for what is silently wrong */
async function readTruly(path: string): Promise<void> {
  const [input] = await scanInputs([path]);
  const { volume, notes, close } = await input.load();
  close();
  if (notes.length + judgeScan(path, volume).length > 0) return;
  const problem = differs(volume, study.truth);
  if (problem !== undefined) throw new Error(`silent: ${problem}`);
}

/** How the volume differs from the truth; a scan that lost planes without lungs gives the same mask. */
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
  const kept = b.voxels.subarray(first * plane, (first + a.size[2]) * plane);
  const wrong = a.voxels.reduce((sum, value, i) => sum + (Math.abs(value - kept[i]) > 0.5 ? 1 : 0), 0);
  return wrong === 0 ? undefined : `${wrong} of ${a.voxels.length} voxels`;
}

const apart = (a: Affine, b: Affine): number => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

const only = (random: Random, damages: readonly string[]): string => random.pick(damages);

/** Studies of single images, in an archive. */
export const studyReader: FuzzReader = {
  name: 'study',
  seeds: async () => [{ name: 'study.zip', extension: '.zip', bytes: makeZip(studyFiles(study.slices)) }],
  vary: (_seed, random) => {
    const damage = studyDamages[only(random, Object.keys(studyDamages))];
    return makeZip(studyFiles(damage(study.slices, random, other)));
  },
  read: async (path) => await readTruly(path),
};

async function niftiSeed(): Promise<FuzzSeed> {
  const blob = await encodeVolumeBlob(study.truth.volume, 'scan.nii');
  return { name: 'scan.nii', extension: '.nii', bytes: new Uint8Array(await blob.arrayBuffer()) };
}

/** Scans that were converted. */
export const convertedReader: FuzzReader = {
  name: 'converted',
  seeds: async () => [await niftiSeed()],
  vary: ({ bytes }, random) => {
    const copy = Uint8Array.from(bytes);
    const damage = niftiDamages[only(random, Object.keys(niftiDamages))];
    const kept = damage(new DataView(copy.buffer), random);
    return copy.subarray(0, kept ?? copy.length);
  },
  read: async (path) => await readTruly(path),
};
