/** What people read about each doubt. Apart from the rules, so that a page in a browser does not load it. */
import { leastAgreement } from './agreement.js';
import type { DoubtId } from './doubts.js';
import { lungLimits } from './lungs.js';
import { outsideLimits } from './outside-lungs.js';
import { unlikeLimits } from './unlike-training.js';

export interface DoubtDescription {
  /** What is seen, with its limit. */
  readonly seen: string;
  /** `value` in the sidecar. */
  readonly value: string;
  /** Where the limit comes from. */
  readonly limit: string;
  /** What to look at or do. */
  readonly look: string;
}

const { ml, ratio, missing, apart, tissue } = lungLimits;
const { spacing, field, volume, intensity } = unlikeLimits;
const experts = 'the lungs that experts drew in 12 scans of COVID-19-CT-Seg have';
const leftOut = 'leaving out each of 12 patients in turn';

export const doubtDescriptions: Readonly<Record<DoubtId, DoubtDescription>> = {
  disagreement: {
    seen:
      `overlapping windows, mirrored copies or the models of an ensemble agree on a lesion with an expected Dice below ` +
      `${leastAgreement.lesion}, on another class below ${leastAgreement.other}`,
    value: 'expected Dice',
    limit:
      'eight masks of two models (four scans): infection with a Dice of 0.78 and more had 0.88, with less 0.56 to 0.79',
    look: 'the outline of the class in every slice; the map of disagreement shows where',
  },
  'lungs-missing': {
    seen: `a lung of less than ${100 * missing.share} % of the other's volume, or less than ${missing.ml} ml of both`,
    value: 'ml',
    limit: 'no adult is known like that, but for removed and collapsed lungs',
    look: 'whether the scan shows this lung, filled or collapsed, and lies as its header says',
  },
  'lung-volume': {
    seen: `both lungs, with the lesions in them, below ${ml[0]} or above ${ml[1]} ml`,
    value: 'ml',
    limit:
      `4468 ± 1271 ml in 564 adults ([Cheng et al. 2019](https://doi.org/10.2147/COPD.S187596)); ${experts} 2231 to 5791 ml. Not ` +
      'where lungs go on beyond the scan',
    look: 'parts that are missed; air around the body or in the bowel that is taken for lung; children have smaller lungs',
  },
  'lung-ratio': {
    seen: `left over right lung below ${ratio[0]} or above ${ratio[1]}`,
    value: 'left over right',
    limit:
      'the right lung has 50.6 to 57.4 % of both in 32 adults, which is 0.74 to 0.98 ' +
      `([Yamada et al. 2020](https://pmc.ncbi.nlm.nih.gov/articles/PMC7490509/table/T3)); ${experts} 0.74 to 0.95. Not where lungs ` +
      'go on beyond the scan',
    look: 'parts of one lung that are missed, or given to the other',
  },
  'lung-pieces': {
    seen: `more than ${100 * apart} % of a lung apart from its largest piece`,
    value: 'share',
    limit: `${experts} at most 0.9 %`,
    look: 'the pieces, on the other side as well; left and right may be mixed',
  },
  'lungs-exchanged': {
    seen: 'the left lung lies to the right of the right lung',
    value: 'mm, negative',
    limit: `${experts} 110 to 171 mm the other way; situs inversus turns organs round, not the names of the lungs`,
    look: 'whether the scan, or the labels that the model was trained on, are mirrored',
  },
  'lungs-in-tissue': {
    seen:
      `more than ${100 * tissue.share} % of the lungs farther than ${tissue.mm} mm from all air that the body encloses; not where ` +
      'lungs go on beyond the scan',
    value: 'share',
    limit: `${experts} at most 0.1 %; the masks of 5 phantoms, mirrored along any axis, 5 to 16 %`,
    look: 'whether the mask lies where the lungs are',
  },
  'outside-lungs': {
    seen:
      `more than ${100 * outsideLimits.share} % of the lesions farther than ${outsideLimits.mm} mm from the lungs of the mask and from ` +
      'all air that the body encloses',
    value: 'share',
    limit: 'of the infection that experts drew in 12 scans nothing lies there; beyond 10 mm it is up to 5.7 %',
    look: 'lesions in the chest wall, the mediastinum and the abdomen',
  },
  'unlike-spacing': {
    seen:
      `voxels more than ${spacing.larger} times larger, or ${spacing.smaller} times smaller, than in any scan that the model was ` +
      'trained on',
    value: 'mm',
    limit: `${leftOut}: none`,
    look: 'small lesions, outlines',
  },
  'unlike-field': {
    seen: `a field of view more than ${field.larger} times larger or smaller than in any of them; smaller only of a whole chest`,
    value: 'mm',
    limit: `${leftOut}: none`,
    look: 'the rim, and what else the scan shows',
  },
  'unlike-intensities': {
    seen: `a quartile of the air or of the tissue inside the body more than ${intensity} of 255 beyond theirs`,
    value: 'of 255',
    limit: `${leftOut}: none, the farthest is 14 beyond`,
    look: 'whether the values are HU; contrast medium; another window',
  },
  'unlike-volumes': {
    seen: `more than ${volume.larger} times the lungs or lesions of any of them, or lungs ${volume.smaller} times smaller`,
    value: 'ml',
    limit: `${leftOut}: one, with 3.6 times the infection of any other`,
    look: 'parts that are too much or missed',
  },
};
