/**
 * Every defect of scans, label maps and datasets that is noticed: what happens, and which consent of the user lets the
 * work go on. The readers, `predict`, `train`, `dataset check` and the browser all go by this one list. descriptions.ts
 * says in words what is seen; docs/defects.md is written from both.
 *
 * The rule: what could give a wrong mask is refused. What only a person can judge, and what was put right without doubt, is
 * noted. Nothing is silent.
 */

export const defectKinds = [
  // Series of DICOM images.
  'damaged',
  'missing',
  'duplicates',
  'uneven',
  'tilt',
  'localizer',
  'scattered',
  'mixed-size',
  'mixed-spacing',
  'mixed-orientation',
  'mixed-rescale',
  'mixed-patients',
  'modality',
  'color',
  'geometry',
  'pixels',
  'rescale-slope',
  'incomplete',
  'order',
  'thickness',
  'patient-position',
  'diameter',
  'shared-uid',
  'mixed-protocol',
  'bits',
  // Files of volumes.
  'orientation',
  'units',
  'header',
  // Any scan, whatever it was read from.
  'constant',
  'not-finite',
  'value-range',
  'extent',
  'calibration',
  'row-length',
  'discontinuity',
  'coverage',
  'anatomy',
  // Label maps and datasets.
  'unreadable',
  'no-label',
  'grid',
  'label-value',
  'near-empty',
  'duplicate',
  'repeated',
  'divided-patient',
  'patient-name',
  'mixed-scales',
  // Trainings.
  'changed-data',
] as const;

export type DefectKind = (typeof defectKinds)[number];

/** How a user says that the work shall go on. */
export interface Consent {
  /** Which option of a job. */
  readonly option: 'accept' | 'repair' | 'assumeOrientation' | 'assumeUnits' | 'acceptChangedData';
  /** Its values that let this defect pass; none for one that is a switch. */
  readonly values: readonly string[];
}

export interface DefectRule {
  readonly outcome: 'refused' | 'noted';
  readonly consent?: Consent;
}

const accept = (kind: string): Consent => ({ option: 'accept', values: [kind] });
const repair = (...values: readonly string[]): Consent => ({ option: 'repair', values });

export const defects: Readonly<Record<DefectKind, DefectRule>> = {
  damaged: { outcome: 'refused', consent: repair('damaged=drop') },
  missing: { outcome: 'refused', consent: repair('missing=interpolate') },
  duplicates: {
    outcome: 'refused',
    consent: repair('duplicates=identical', 'duplicates=first'),
  },
  uneven: { outcome: 'refused', consent: repair('uneven=resample') },
  tilt: {
    outcome: 'refused',
    consent: repair('tilt=shear', 'tilt=resample'),
  },
  localizer: { outcome: 'refused', consent: repair('localizer=drop') },
  scattered: { outcome: 'refused' },
  'mixed-size': { outcome: 'refused' },
  'mixed-spacing': { outcome: 'refused' },
  'mixed-orientation': { outcome: 'refused' },
  'mixed-rescale': { outcome: 'refused' },
  'mixed-patients': { outcome: 'refused' },
  modality: { outcome: 'refused' },
  color: { outcome: 'refused' },
  geometry: { outcome: 'refused' },
  pixels: { outcome: 'refused' },
  'rescale-slope': { outcome: 'noted' },
  incomplete: { outcome: 'noted' },
  order: { outcome: 'noted' },
  thickness: { outcome: 'noted' },
  'patient-position': { outcome: 'noted' },
  diameter: { outcome: 'noted' },
  'shared-uid': { outcome: 'noted' },
  'mixed-protocol': { outcome: 'noted' },
  bits: { outcome: 'noted' },
  orientation: {
    outcome: 'refused',
    consent: {
      option: 'assumeOrientation',
      values: ['LPS', 'RAS', '…'],
    },
  },
  units: {
    outcome: 'refused',
    consent: { option: 'assumeUnits', values: ['mm', 'm', 'um'] },
  },
  header: { outcome: 'noted' },
  constant: { outcome: 'refused', consent: accept('constant') },
  'not-finite': { outcome: 'refused' },
  'value-range': { outcome: 'refused', consent: accept('value-range') },
  extent: { outcome: 'refused', consent: accept('extent') },
  calibration: { outcome: 'refused', consent: accept('calibration') },
  'row-length': { outcome: 'refused', consent: accept('row-length') },
  discontinuity: { outcome: 'noted' },
  coverage: { outcome: 'noted' },
  anatomy: { outcome: 'noted' },
  unreadable: { outcome: 'refused' },
  'no-label': { outcome: 'refused' },
  grid: { outcome: 'refused' },
  'label-value': { outcome: 'refused' },
  'near-empty': { outcome: 'noted' },
  duplicate: { outcome: 'refused' },
  repeated: { outcome: 'noted' },
  'divided-patient': { outcome: 'refused' },
  'patient-name': { outcome: 'noted' },
  'mixed-scales': { outcome: 'noted' },
  'changed-data': {
    outcome: 'refused',
    consent: { option: 'acceptChangedData', values: [] },
  },
};

/** The kinds that a user can accept. */
export const acceptableKinds: readonly DefectKind[] = defectKinds.filter(
  (kind) => defects[kind].consent?.option === 'accept',
);
