/** Cases: lists and folders, patients, who is trained, validated and tested on, and what label values mean to a network. */
export { type CaseSplit, formatCaseList, type ListedCase, readCaseList } from './case-list.js';
export { mirroredIndices, noClass, toClassIndices } from './class-indices.js';
export {
  assumptionsOf,
  casesAndScansOf,
  casesOf,
  consentOf,
  consentShape,
  type DataConfig,
  dataSchema,
  type ScanConsent,
} from './data-source.js';
export { type CaseRole, type DatasetCase, listCases, type ScanCase } from './dataset.js';
export { DatasetError } from './dataset-error.js';
export { divideCases, divideListed } from './divide.js';
export { type PatientMap, patientOf } from './patient.js';
export { foldCases, foldsByRole, holdOutCases, type RoleCase, type Split, splitByRole, splitCases } from './split.js';
