import { covidClasses, msdClasses } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import { paperPreparation, preparationSchema } from './config.js';
import { modelMetadataSchema } from './model-metadata.js';

function problems(input: unknown): string[] {
  const { error } = preparationSchema.safeParse(input);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

describe('preparationSchema', () => {
  it('accepts the paper preparation of both data sets unchanged', () => {
    expect(preparationSchema.parse(paperPreparation)).toEqual(paperPreparation);
    expect(problems({ ...paperPreparation, classes: msdClasses })).toEqual([]);
  });

  it('refuses unknown keys, reversed windows and impossible spacings', () => {
    expect(problems({ ...paperPreparation, spacing: 1 }).join()).toContain('spacing');
    expect(problems({ ...paperPreparation, clipHu: [250, -1250] }).join()).toContain('clipHu: the first value');
    expect(problems({ ...paperPreparation, spacingMm: [1, 0, 1] }).join()).toContain('spacingMm.1');
    expect(problems({ ...paperPreparation, intensity: 'auto' }).join()).toContain('intensity');
  });

  it('takes a label to ignore that is no class', () => {
    expect(problems({ ...paperPreparation, ignoreLabel: 255 })).toEqual([]);
    expect(problems({ ...paperPreparation, ignoreLabel: 3 })).toEqual([
      "ignoreLabel: 3 is the value of class 'infection'; use one that no class has",
    ]);
    expect(problems({ ...paperPreparation, ignoreLabel: 0 }).join()).toContain('ignoreLabel');
  });

  it('refuses classes that contradict each other', () => {
    const classes = (...changed: object[]): unknown => ({
      ...paperPreparation,
      classes: covidClasses.map((c, i) => ({ ...c, ...changed[i] })),
    });
    expect(problems(classes({ value: 4 }))).toEqual([
      'classes.0.value: is 4; the first class is the background, value 0',
    ]);
    expect(problems(classes({}, {}, {}, { value: 0 })).join()).toContain('classes.3.value: 0 is used twice');
    expect(problems(classes({}, {}, {}, { name: 'left lung' })).join()).toContain("'left lung' is used twice");
    expect(problems(classes({}, { mirror: 9 })).join()).toContain("classes.1.mirror: 9 is no class's value");
    expect(problems(classes({}, { mirror: 3 })).join()).toContain("3 ('infection') must mirror back to 1");
    expect(problems(classes({}, { colour: [1, 2, 3] })).join()).toContain('colour');
  });

  it('takes any number of lesions, one lung a side, and no role for the background', () => {
    const classes = (...roles: (string | undefined)[]): unknown => ({
      ...paperPreparation,
      classes: covidClasses.map(({ role: _role, ...rest }, i) => ({ ...rest, ...(roles[i] && { role: roles[i] }) })),
    });
    expect(problems(classes())).toEqual([]);
    expect(problems(classes(undefined, 'lesion', 'left-lung', 'lesion'))).toEqual([]);
    expect(problems(classes(undefined, 'left-lung', 'right-lung', 'left-lung'))).toEqual([
      "classes.3.role: 'infection' and 'left lung' are both 'left-lung'; there is one such lung",
    ]);
    expect(problems(classes('lesion'))).toEqual(["classes.0.role: the background has no role; it is 'lesion' here"]);
    expect(problems(classes(undefined, 'lung')).join()).toContain('classes.1.role');
  });
});

describe('modelMetadataSchema', () => {
  const metadata = {
    format: 'quickcolumn-model',
    version: 3,
    network: { name: 'qchc-unet', rootFilters: 16, hypercolumn: true },
    preparation: paperPreparation,
    patch: [160, 160, 80],
    overlap: [80, 80, 40],
    training: { steps: 45000, date: '2021-11-24' },
    notes: 'research use',
    weightsSha256: 'a'.repeat(64),
  };

  it('round-trips through JSON and keeps the network options', () => {
    expect(modelMetadataSchema.parse(JSON.parse(JSON.stringify(metadata)))).toEqual(metadata);
  });

  it('reads roles from the names where version 1 had none, and only there', () => {
    const classes = covidClasses.map(({ role: _role, ...rest }) => rest);
    const preparation = { ...paperPreparation, classes };
    expect(modelMetadataSchema.parse({ ...metadata, version: 1, preparation })).toEqual(metadata);
    expect(modelMetadataSchema.parse({ ...metadata, preparation }).preparation.classes).toEqual(classes);
  });

  it('refuses other formats, versions, overlaps and checksums', () => {
    const changes = [{ format: 'x' }, { version: 4 }, { overlap: [160, 0, 0] }, { weightsSha256: 'A' }, { extra: 1 }];
    for (const change of changes) {
      expect(modelMetadataSchema.safeParse({ ...metadata, ...change }).success, JSON.stringify(change)).toBe(false);
    }
    expect(modelMetadataSchema.safeParse({ ...metadata, network: {} }).success).toBe(false);
  });
});
