export {
  acceptableKinds,
  defectKinds,
  defects,
  type Consent,
  type DefectKind,
  type DefectRule,
} from './defects.js';
export { type Defect, DefectError, judge } from './judge.js';
export { finiteDefects, scanDefects } from './scan-defects.js';
