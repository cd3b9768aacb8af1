export {
  acceptableKinds,
  type Consent,
  type DefectKind,
  type DefectRule,
  defectKinds,
  defects,
} from './defects.js';
export { type DefectDescription, defectDescriptions } from './descriptions.js';
export { type Defect, DefectError, judge } from './judge.js';
export { enclosedAir } from './enclosed-air.js';
export { finiteDefects, scanDefects } from './scan-defects.js';
