/**
 * What a segment shows, in codes: SNOMED CT concepts of the context groups that PS3.16 gives for segmentations (CID
 * 7150 categories, 7151 types with 7159 for lesions, 244 laterality; checked with pydicom's copy of them), by the names
 * of classes that this software knows. A class with another name is 'Tissue', and keeps its name as the label.
 */
import type { Code } from '../data-set/write-data-set.js';

export interface SegmentCodes {
  readonly category: Code;
  readonly type: Code;
  /** Laterality. */
  readonly modifier?: Code;
  /** Where a lesion is. */
  readonly region?: Code;
}

function sct(value: string, meaning: string): Code {
  return { value, scheme: 'SCT', meaning };
}

const anatomy = sct('123037004', 'Anatomical Structure');
const abnormality = sct('49755003', 'Morphologically Abnormal Structure');
const tissue = sct('85756007', 'Tissue');
const lung = sct('39607008', 'Lung');

const known: readonly (readonly [RegExp, SegmentCodes])[] = [
  [/^left[ _-]lung$/i, { category: anatomy, type: lung, modifier: sct('7771000', 'Left') }],
  [/^right[ _-]lung$/i, { category: anatomy, type: lung, modifier: sct('24028007', 'Right') }],
  [/^lungs?$/i, { category: anatomy, type: lung, modifier: sct('51440002', 'Bilateral') }],
  // Ground glass and consolidation in one mask: CID 7159 has no narrower term that is true of all of it.
  [
    /infection|covid|pneumoni|inflammat|opacit|ground.?glass|consolidation/i,
    { category: abnormality, type: sct('23583003', 'Inflammation'), region: lung },
  ],
  [/tumou?r|neoplasm|cancer/i, { category: abnormality, type: sct('108369006', 'Neoplasm'), region: lung }],
  // Not in CID 7159, which may be extended.
  [/lesion/i, { category: abnormality, type: sct('52988006', 'Lesion'), region: lung }],
  [/nodule/i, { category: abnormality, type: sct('27925004', 'Nodule'), region: lung }],
];

/** Codes for the name of a class. */
export function segmentCodes(name: string): SegmentCodes {
  return known.find(([pattern]) => pattern.test(name))?.[1] ?? { category: tissue, type: tissue };
}
