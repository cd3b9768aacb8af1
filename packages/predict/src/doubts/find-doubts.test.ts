/** Doubts on phantoms: none for a plausible mask however it is stored, each for the mask that is wrong in its way. */
import { measureMask } from '@quickcolumn/measure';
import { generatePhantom, type Phantom } from '@quickcolumn/phantom';
import { prepareScan, scanFacts, type TrainingScans, trainingScans } from '@quickcolumn/pipeline';
import { allAxisCodes, covidClasses, msdClasses, reorient, type Size3, type Volume } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { metadataOf } from '../model.test.helpers.js';
import type { DoubtId } from './doubts.js';
import { type DoubtEvidence, findDoubts } from './find-doubts.js';

const { preparation } = metadataOf({ classes: covidClasses });
const chest = generatePhantom({ seed: 4, size: [120, 96, 56], spacingMm: [3, 3, 5] });

function evidenceOf(
  { image, labels }: Pick<Phantom, 'image' | 'labels'>,
  changes: Partial<DoubtEvidence> = {},
): DoubtEvidence {
  const { metadata = { preparation } } = changes;
  const { classes } = metadata.preparation;
  return {
    labels,
    scan: image,
    metadata,
    measurement: measureMask(labels, classes),
    agreement: classes.map(() => 0.95),
    facts: scanFacts(prepareScan(image, { ...preparation, classes })),
    isPart: false,
    ...changes,
  };
}

const idsOf = (evidence: DoubtEvidence): DoubtId[] => findDoubts(evidence).map(({ id }) => id);

/** The chest with other labels. */
function relabelled(change: (label: number, x: number, y: number, z: number) => number): Phantom {
  const [nx, ny] = chest.labels.size;
  const voxels = chest.labels.voxels.map((label, at) =>
    change(label, at % nx, Math.floor(at / nx) % ny, Math.floor(at / nx / ny)),
  );
  return { ...chest, labels: { ...chest.labels, voxels } };
}

/** Slices from `first` to before `last`. */
function slices<T extends Phantom['image'] | Phantom['labels']>(volume: T, first: number, last: number): T {
  const [nx, ny] = volume.size;
  const size: Size3 = [nx, ny, last - first];
  return { ...volume, size, voxels: volume.voxels.slice(first * nx * ny, last * nx * ny) };
}

describe('a plausible mask gives no doubt', () => {
  it.each(allAxisCodes.filter((_, n) => n % 5 === 0))('stored as %s', (codes) => {
    const turned = { image: reorient(chest.image, codes), labels: reorient(chest.labels, codes) };
    expect(idsOf(evidenceOf(turned))).toEqual([]);
  });

  it.each([
    [
      [200, 160, 40],
      [1.8, 1.8, 7],
    ],
    [
      [90, 72, 140],
      [4, 4, 2],
    ],
    [
      [112, 96, 48],
      [3, 3, 6],
    ],
  ] as const)('of %j voxels of %j mm', (size, spacingMm) => {
    for (const seed of [1, 2]) expect(idsOf(evidenceOf(generatePhantom({ seed, size, spacingMm })))).toEqual([]);
  });

  it('of a part of a chest, which is not implausible for its volume', () => {
    const part = { image: slices(chest.image, 20, 30), labels: slices(chest.labels, 20, 30) };
    // The mask's lungs meet the ends; so they do in the scan, which the defect says.
    expect(idsOf(evidenceOf(part))).toEqual([]);
    expect(idsOf(evidenceOf(part, { isPart: true }))).toEqual([]);
    const { labels } = part;
    const little = { ...labels, voxels: new Uint8Array(labels.voxels.length) };
    expect(idsOf(evidenceOf({ ...part, labels: little }, { isPart: true }))).toEqual([]);
  });

  it('without lungs among the classes', () => {
    const lesion = {
      ...chest,
      labels: { ...chest.labels, voxels: chest.labels.voxels.map((label) => (label === 3 ? 1 : 0)) },
    };
    expect(idsOf(evidenceOf(lesion, { metadata: { preparation: { ...preparation, classes: msdClasses } } }))).toEqual(
      [],
    );
  });
});

describe('a wrong mask', () => {
  it.each<[string, DoubtId, RegExp, Phantom]>([
    ['that is empty', 'lungs-missing', /^the mask shows 0 ml of lungs; look/, relabelled(() => 0)],
    [
      'without the left lung',
      'lungs-missing',
      /^the left lung has 0 ml, the other \d+ ml/,
      relabelled((label) => (label === 1 ? 0 : label)),
    ],
    [
      'with half a left lung',
      'lung-ratio',
      /^the left lung has 0\.\d\d times the volume of the right \(\d+ and \d+ ml\), expected 0\.6 to 1\.2; look/,
      relabelled((label, _x, _y, z) => (label === 1 && z > 24 ? 0 : label)),
    ],
    [
      'with the upper third of both lungs',
      'lung-volume',
      /^the lungs have \d+ ml, those of adults 1000 to 8500 ml; look/,
      relabelled((label, _x, _y, z) => (z < 38 ? 0 : label)),
    ],
    [
      'whose lungs are exchanged in the upper half',
      'lung-pieces',
      /^\d+ % of the left lung lie apart from the rest of it; look/,
      relabelled((label, _x, _y, z) => (z > 30 && label > 0 && label < 3 ? 3 - label : label)),
    ],
    [
      'with infection in the shoulder',
      'outside-lungs',
      /^\d+ % of infection lie more than 15 mm from the lungs and from all air in the body, expected at most 5 %; look/,
      relabelled((label, x, y) => (x > 56 && x < 66 && y > 76 && y < 84 ? 3 : label)),
    ],
  ])('%s: %s', (_what, id, message, wrong) => {
    const found = findDoubts(evidenceOf(wrong));
    expect(found.map((doubt) => doubt.id)).toContain(id);
    for (const doubt of found) expect(Number.isFinite(doubt.value)).toBe(true);
    expect(found.find((doubt) => doubt.id === id)?.message).toMatch(message);
  });

  it.each([
    [0, ['lungs-exchanged', 'lungs-in-tissue']],
    [1, ['lungs-in-tissue']],
    [2, ['lungs-in-tissue']],
  ] as const)('that is mirrored along axis %i: %j', (axis, ids) => {
    const { size, voxels } = chest.labels;
    const strides = [1, size[0], size[0] * size[1]];
    const mirrored = voxels.map((_, at) => {
      const index = Math.floor(at / strides[axis]) % size[axis];
      return voxels[at + (size[axis] - 1 - 2 * index) * strides[axis]];
    });
    expect(idsOf(evidenceOf({ ...chest, labels: { ...chest.labels, voxels: mirrored } }))).toEqual(ids);
  });
});

describe('agreement', () => {
  it('is doubted below 0.8 for a lesion and below 0.9 for another class', () => {
    const found = findDoubts(evidenceOf(chest, { agreement: [1, 0.89, 0.9, 0.7] }));
    expect(found).toEqual([
      {
        id: 'disagreement',
        message:
          'predictions of the same place agree on left lung with a Dice of 0.89, expected at least 0.9; look at its outline in every slice',
        value: 0.89,
      },
      {
        id: 'disagreement',
        message:
          'predictions of the same place agree on infection with a Dice of 0.70, expected at least 0.8; look at its outline in every slice',
        value: 0.7,
      },
    ]);
  });

  it('that was not measured is no doubt, nor that on a class that is hardly there', () => {
    expect(idsOf(evidenceOf(chest, { agreement: [null, null, null, null] }))).toEqual([]);
    const none = relabelled((label) => (label === 3 ? 1 : label));
    expect(idsOf(evidenceOf(none, { agreement: [1, 1, 1, 0] }))).toEqual([]);
  });
});

describe('the scans of the training', () => {
  const facts = [1, 2, 3].map((seed) => {
    const { image, labels } = generatePhantom({ seed, size: [120, 96, 56], spacingMm: [3, 3, 5] });
    return scanFacts(prepareScan(image, preparation, { labels }));
  });
  const trained = trainingScans(facts) as TrainingScans;
  const judged = (
    one: Pick<Phantom, 'image' | 'labels'>,
    changes: Partial<TrainingScans> = {},
    isPart = false,
  ): string[] => {
    const metadata = { preparation, trainingScans: { ...trained, ...changes } };
    return findDoubts(evidenceOf(one, { metadata, isPart })).map(({ id, message }) => `${id}: ${message}`);
  };

  it('are like another one of their kind', () => {
    expect(trained).toMatchObject({
      cases: 3,
      spacingMm: [
        [3, 3],
        [3, 3],
        [5, 5],
      ],
      fieldMm: [
        [360, 360],
        [288, 288],
        [280, 280],
      ],
    });
    expect(judged(chest)).toEqual([]);
  });

  it('had finer voxels, another field of view, other lungs and lesions', () => {
    const known = {
      spacingMm: [
        [0.7, 0.9],
        [0.7, 0.9],
        [1, 3],
      ],
      fieldMm: [
        [250, 280],
        [400, 420],
        [200, 300],
      ],
    } as const;
    const volumesMl = { 1: [100, 200], 2: [100, 300], 3: [0, 0.1] } as const;
    expect(judged(chest, { ...known, volumesMl })).toEqual([
      'unlike-spacing: voxels of 3 mm from left to right; the model was trained on 0.7 to 0.9 mm; look at small lesions and at outlines',
      'unlike-spacing: voxels of 3 mm from front to back; the model was trained on 0.7 to 0.9 mm; look at small lesions and at outlines',
      'unlike-spacing: voxels of 5 mm from head to feet; the model was trained on 1 to 3 mm; look at small lesions and at outlines',
      'unlike-field: a field of view of 360 mm from left to right; the model was trained on 250 to 280 mm; look at its rim, and at what else it shows',
      'unlike-field: a field of view of 288 mm from front to back; the model was trained on 400 to 420 mm; look at its rim, and at what else it shows',
      expect.stringMatching(/^unlike-volumes: \d+ ml of lungs; the scans of the training had 200 to 500 ml; look/),
      expect.stringMatching(
        /^unlike-volumes: \d+(\.\d+)? ml of infection; the scans of the training had 0 to 0.1 ml; look/,
      ),
    ]);
  });

  it('are longer than a part of a chest, which is no doubt', () => {
    const part = { image: slices(chest.image, 20, 40), labels: slices(chest.labels, 20, 40) };
    expect(judged(part, {}, false).map((text) => text.split(':')[0])).toContain('unlike-field');
    expect(judged(part, {}, true)).toEqual([]);
  });

  it('had other intensities than one with a wrong intercept', () => {
    const darker: Volume<Int16Array> = {
      ...chest.image,
      voxels: chest.image.voxels.map((hu) => Math.max(-1024, hu - 200)),
    };
    const found = judged({ ...chest, image: darker });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(
      /^unlike-intensities: \d+ % of tissue are below \d+ of 255, in the scans of the training below \d+( to \d+)?; look/,
    );
  });
});

it('an empty mask, an empty class and a scan of nothing give numbers or nothing, never NaN', () => {
  const nothing = {
    image: { ...chest.image, voxels: new Int16Array(chest.image.voxels.length).fill(-1000) },
    labels: relabelled(() => 0).labels,
  };
  for (const isPart of [false, true]) {
    const trained = trainingScans([scanFacts(prepareScan(chest.image, preparation, { labels: chest.labels }))]);
    const metadata = { preparation, ...(trained && { trainingScans: trained }) };
    for (const one of [nothing, relabelled(() => 0), relabelled((label) => (label === 3 ? 3 : 0))]) {
      for (const { message, value } of findDoubts(
        evidenceOf(one, { metadata, isPart, agreement: [null, null, null, null] }),
      )) {
        expect(Number.isFinite(value)).toBe(true);
        expect(message).not.toMatch(/NaN|Infinity|undefined/);
      }
    }
  }
});
