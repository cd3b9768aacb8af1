/** The property that plausible damage is held to can fail: undamaged scans have no note, and what nobody can see is a finding. */
import { expect, test } from 'vitest';
import { useFolder } from '../folder.test.helpers.js';
import { makeStudy, studyFiles } from '../plausible/study.js';
import { makeZip } from '../seeds/zip-writer.js';
import { convertedReader, readAndCompare, studyReader } from './plausible-readers.js';

const { put } = useFolder();

test.each([studyReader, convertedReader])('undamaged, $name is the truth and has no note', async (reader) => {
  const [{ extension, bytes }] = await reader.seeds();
  expect(await readAndCompare(put(`good${extension}`, bytes))).toEqual({ notes: [] });
});

test('left and right exchanged throughout, which nobody can see, is silent and therefore found', async () => {
  const mirrored = makeStudy(1).slices.map((slice) => {
    const pixels = slice.pixels.slice();
    for (let at = 0; at < pixels.length; at += slice.columns) pixels.subarray(at, at + slice.columns).reverse();
    return { ...slice, pixels };
  });
  const path = put('mirrored.zip', makeZip(studyFiles(mirrored)));
  expect(await readAndCompare(path)).toEqual({ notes: [], problem: expect.stringMatching(/^\d+ of 141984 voxels$/) });
  await expect(studyReader.read(path, 2 ** 26)).rejects.toThrow(/^silent: \d+ of 141984 voxels$/);
});

test('slices of which none shows lung may be lost', async () => {
  const path = put('lower.zip', makeZip(studyFiles(makeStudy(1).slices.slice(0, -3))));
  expect((await readAndCompare(path)).problem).toBeUndefined();
});
