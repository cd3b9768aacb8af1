/**
 * Every defect of scans, label maps and datasets that is noticed: what is seen, what happens, and which consent of the user
 * lets the work go on. The readers, `predict`, `train`, `dataset check` and the browser all go by this one list;
 * docs/defects.md is written from it.
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
  /** What then happens: 'interpolates the missing slices'. */
  readonly effect: string;
}

export interface DefectRule {
  /** Where it is noticed. */
  readonly where: 'DICOM series' | 'volume file' | 'scan' | 'label map' | 'dataset' | 'run folder';
  /** What is seen, in a few words. */
  readonly seen: string;
  readonly outcome: 'refused' | 'noted';
  readonly consent?: Consent;
}

const accept = (kind: string, effect = 'uses the scan as it is'): Consent => ({
  option: 'accept',
  values: [kind],
  effect,
});
const repair = (values: readonly string[], effect: string): Consent => ({ option: 'repair', values, effect });

export const defects: Readonly<Record<DefectKind, DefectRule>> = {
  damaged: {
    where: 'DICOM series',
    seen: 'files that are truncated, empty, damaged, unreachable or without pixel data beside the slices of the series',
    outcome: 'refused',
    consent: repair(['damaged=drop'], 'leaves these files out and names them'),
  },
  missing: {
    where: 'DICOM series',
    seen: 'slices missing between others',
    outcome: 'refused',
    consent: repair(['missing=interpolate'], 'interpolates them linearly'),
  },
  duplicates: {
    where: 'DICOM series',
    seen: 'more than one slice at a place',
    outcome: 'refused',
    consent: repair(
      ['duplicates=identical', 'duplicates=first'],
      'takes one if all are equal; takes the first whole acquisition',
    ),
  },
  uneven: {
    where: 'DICOM series',
    seen: 'slices at uneven distances',
    outcome: 'refused',
    consent: repair(['uneven=resample'], 'interpolates onto the median distance'),
  },
  tilt: {
    where: 'DICOM series',
    seen: 'a tilted gantry: slices shifted against each other',
    outcome: 'refused',
    consent: repair(['tilt=shear', 'tilt=resample'], 'states the sheared grid; shifts the slices upright'),
  },
  localizer: {
    where: 'DICOM series',
    seen: 'scout views among the slices',
    outcome: 'refused',
    consent: repair(['localizer=drop'], 'leaves them out'),
  },
  scattered: { where: 'DICOM series', seen: 'slices that are not in line with the stack', outcome: 'refused' },
  'mixed-size': { where: 'DICOM series', seen: 'images of different sizes', outcome: 'refused' },
  'mixed-spacing': { where: 'DICOM series', seen: 'images of different pixel spacing', outcome: 'refused' },
  'mixed-orientation': { where: 'DICOM series', seen: 'images of different orientations', outcome: 'refused' },
  'mixed-rescale': {
    where: 'DICOM series',
    seen: 'slices with a rescale among slices without, or a slice whose rescale does not fit its neighbours',
    outcome: 'refused',
  },
  'mixed-patients': {
    where: 'DICOM series',
    seen: 'patient, study, scanner or modality that differ within the series',
    outcome: 'refused',
  },
  modality: { where: 'DICOM series', seen: 'another modality than CT', outcome: 'refused' },
  color: { where: 'DICOM series', seen: 'images that are not grey', outcome: 'refused' },
  geometry: { where: 'DICOM series', seen: 'no usable position, orientation or spacing', outcome: 'refused' },
  pixels: {
    where: 'DICOM series',
    seen: 'values that cannot be Hounsfield units, or cannot be decoded',
    outcome: 'refused',
  },
  'rescale-slope': {
    where: 'DICOM series',
    seen: 'a rescale intercept without a readable slope (read with slope 1), no rescale at all (values taken as HU), or slices with a rescale of their own',
    outcome: 'noted',
  },
  incomplete: {
    where: 'DICOM series',
    seen: 'slices that seem to be missing at the ends: gaps in the instance numbers, fewer images than the files state',
    outcome: 'noted',
  },
  order: {
    where: 'DICOM series',
    seen: 'instance numbers, slice locations, acquisitions or pixels that contradict the order of the positions',
    outcome: 'noted',
  },
  thickness: {
    where: 'DICOM series',
    seen: 'a slice thickness or a stated distance of slices that contradicts their positions',
    outcome: 'noted',
  },
  'patient-position': {
    where: 'DICOM series',
    seen: 'an orientation that contradicts the patient position (HFS, FFS, …) or the image type AXIAL',
    outcome: 'noted',
  },
  diameter: {
    where: 'DICOM series',
    seen: 'a pixel spacing that contradicts the reconstruction diameter',
    outcome: 'noted',
  },
  'shared-uid': {
    where: 'DICOM series',
    seen: 'another patient, study or frame of reference under the same series UID; they are listed as series of their own',
    outcome: 'noted',
  },
  'mixed-protocol': {
    where: 'DICOM series',
    seen: 'slices of different kernels, tube voltages or reconstruction diameters',
    outcome: 'noted',
  },
  bits: {
    where: 'DICOM series',
    seen: 'pixels that are stored in different ways or in unusual bits, and bits beside the stored ones that are not empty',
    outcome: 'noted',
  },
  orientation: {
    where: 'volume file',
    seen:
      'a header that gives no orientation: NIfTI with qform_code and sform_code 0, NRRD with spacings but no space, MetaImage ' +
      'without a matrix',
    outcome: 'refused',
    consent: {
      option: 'assumeOrientation',
      values: ['LPS', 'RAS', '…'],
      effect: 'takes the voxel axes to point to these sides of the patient',
    },
  },
  units: {
    where: 'volume file',
    seen: 'a header that states other units than millimetres',
    outcome: 'refused',
    consent: { option: 'assumeUnits', values: ['mm', 'm', 'um'], effect: 'takes the header to be in these units' },
  },
  header: {
    where: 'volume file',
    seen: 'a NIfTI header whose sform, qform and pixdim contradict each other (the sform is used)',
    outcome: 'noted',
  },
  constant: { where: 'scan', seen: 'the same value in every voxel', outcome: 'refused', consent: accept('constant') },
  'not-finite': { where: 'scan', seen: 'voxels that are not finite numbers', outcome: 'refused' },
  'value-range': {
    where: 'scan',
    seen: 'values that are neither HU nor 0–255: HU + 1024, another modality, numbers that no CT gives',
    outcome: 'refused',
    consent: accept('value-range', 'takes the values as they are'),
  },
  extent: {
    where: 'scan',
    seen: 'a size or voxel spacing that no chest CT has',
    outcome: 'refused',
    consent: accept('extent'),
  },
  calibration: {
    where: 'scan',
    seen: 'a whole scan in HU whose values cannot be those of a chest: a wrong rescale slope or intercept',
    outcome: 'refused',
    consent: accept('calibration', 'takes the values as they are'),
  },
  'row-length': {
    where: 'scan',
    seen: 'rows of voxels that do not fit below each other: sizes of the header that were exchanged, or are of another file',
    outcome: 'refused',
    consent: accept('row-length'),
  },
  discontinuity: {
    where: 'scan',
    seen: 'slices that do not follow each other: one unlike its neighbours, swapped ones, a jump',
    outcome: 'noted',
  },
  coverage: {
    where: 'scan',
    seen: 'lungs that go on beyond the highest or the lowest slice',
    outcome: 'noted',
  },
  anatomy: {
    where: 'scan',
    seen: 'a whole chest that does not seem to lie as the header says: axes exchanged, front and back or top and bottom',
    outcome: 'noted',
  },
  unreadable: { where: 'dataset', seen: 'a scan or label map that cannot be read', outcome: 'refused' },
  'no-label': { where: 'dataset', seen: 'a case to train on that has no label map', outcome: 'refused' },
  grid: {
    where: 'label map',
    seen: 'labels that are not on the grid of their scan; `dataset check --fix` repairs harmless ones',
    outcome: 'refused',
  },
  'label-value': {
    where: 'label map',
    seen: 'values that no class declares, and that are not the declared label to ignore',
    outcome: 'refused',
  },
  'near-empty': { where: 'label map', seen: 'next to nothing of a class', outcome: 'noted' },
  duplicate: {
    where: 'dataset',
    seen: 'the same scan for two patients, or on two sides of a split',
    outcome: 'refused',
  },
  repeated: { where: 'dataset', seen: 'the same scan twice for one patient', outcome: 'noted' },
  'divided-patient': { where: 'dataset', seen: 'scans of a patient on two sides of a split', outcome: 'refused' },
  'patient-name': { where: 'dataset', seen: 'a case whose name tells another patient than the list', outcome: 'noted' },
  'mixed-scales': { where: 'dataset', seen: 'scans in HU and scans in 0–255', outcome: 'noted' },
  'changed-data': {
    where: 'run folder',
    seen: 'scans or labels that are not those that the training was begun with',
    outcome: 'refused',
    consent: { option: 'acceptChangedData', values: [], effect: 'goes on with them all the same' },
  },
};

/** The kinds that a user can accept. */
export const acceptableKinds: readonly DefectKind[] = defectKinds.filter(
  (kind) => defects[kind].consent?.option === 'accept',
);
