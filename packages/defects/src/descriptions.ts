/** What people read about each defect. Apart from the rules, so that a page in a browser does not load it. */
import type { DefectKind } from './defects.js';

export interface DefectDescription {
  /** Where it is noticed. */
  readonly where: 'DICOM series' | 'volume file' | 'scan' | 'label map' | 'dataset' | 'run folder';
  /** What is seen, in a few words. */
  readonly seen: string;
  /** What happens with a user's consent: 'interpolates the missing slices'; absent where there is none. */
  readonly effect?: string;
}

export const defectDescriptions: Readonly<Record<DefectKind, DefectDescription>> = {
  damaged: {
    where: 'DICOM series',
    seen: 'files that are truncated, empty, damaged, unreachable or without pixel data beside the slices of the series',
    effect: 'leaves these files out and names them',
  },
  missing: { where: 'DICOM series', seen: 'slices missing between others', effect: 'interpolates them linearly' },
  duplicates: {
    where: 'DICOM series',
    seen: 'more than one slice at a place',
    effect: 'takes one if all are equal; takes the first whole acquisition',
  },
  uneven: {
    where: 'DICOM series',
    seen: 'slices at uneven distances',
    effect: 'interpolates onto the median distance',
  },
  tilt: {
    where: 'DICOM series',
    seen: 'a tilted gantry: slices shifted against each other',
    effect: 'states the sheared grid; shifts the slices upright',
  },
  localizer: { where: 'DICOM series', seen: 'scout views among the slices', effect: 'leaves them out' },
  scattered: { where: 'DICOM series', seen: 'slices that are not in line with the stack' },
  'mixed-size': { where: 'DICOM series', seen: 'images of different sizes' },
  'mixed-spacing': { where: 'DICOM series', seen: 'images of different pixel spacing' },
  'mixed-orientation': { where: 'DICOM series', seen: 'images of different orientations' },
  'mixed-rescale': {
    where: 'DICOM series',
    seen: 'slices with a rescale among slices without, or a slice whose rescale does not fit its neighbours',
  },
  'mixed-patients': {
    where: 'DICOM series',
    seen: 'patient, study, scanner or modality that differ within the series',
  },
  modality: { where: 'DICOM series', seen: 'another modality than CT' },
  color: { where: 'DICOM series', seen: 'images that are not grey' },
  geometry: { where: 'DICOM series', seen: 'no usable position, orientation or spacing' },
  pixels: { where: 'DICOM series', seen: 'values that cannot be Hounsfield units, or cannot be decoded' },
  'rescale-slope': {
    where: 'DICOM series',
    seen: 'a rescale intercept without a readable slope (read with slope 1), no rescale at all (values taken as HU), or slices with a rescale of their own',
  },
  incomplete: {
    where: 'DICOM series',
    seen: 'slices that seem to be missing at the ends: gaps in the instance numbers, fewer images than the files state',
  },
  order: {
    where: 'DICOM series',
    seen: 'instance numbers, slice locations, acquisitions or pixels that contradict the order of the positions',
  },
  thickness: {
    where: 'DICOM series',
    seen: 'a slice thickness or a stated distance of slices that contradicts their positions',
  },
  'patient-position': {
    where: 'DICOM series',
    seen: 'an orientation that contradicts the patient position (HFS, FFS, …) or the image type AXIAL',
  },
  diameter: { where: 'DICOM series', seen: 'a pixel spacing that contradicts the reconstruction diameter' },
  'shared-uid': {
    where: 'DICOM series',
    seen: 'another patient, study or frame of reference under the same series UID; they are listed as series of their own',
  },
  'mixed-protocol': {
    where: 'DICOM series',
    seen: 'slices of different kernels, tube voltages or reconstruction diameters',
  },
  bits: {
    where: 'DICOM series',
    seen: 'pixels that are stored in different ways or in unusual bits, and bits beside the stored ones that are not empty',
  },
  orientation: {
    where: 'volume file',
    seen:
      'a header that gives no orientation: NIfTI with qform_code and sform_code 0, NRRD with spacings but no space, MetaImage ' +
      'without a matrix',
    effect: 'takes the voxel axes to point to these sides of the patient',
  },
  units: {
    where: 'volume file',
    seen: 'a header that states other units than millimetres',
    effect: 'takes the header to be in these units',
  },
  header: {
    where: 'volume file',
    seen: 'a NIfTI header whose sform, qform and pixdim contradict each other (the sform is used)',
  },
  constant: { where: 'scan', seen: 'the same value in every voxel', effect: 'uses the scan as it is' },
  'not-finite': { where: 'scan', seen: 'voxels that are not finite numbers' },
  'value-range': {
    where: 'scan',
    seen: 'values that are neither HU nor 0–255: HU + 1024, another modality, numbers that no CT gives',
    effect: 'takes the values as they are',
  },
  extent: { where: 'scan', seen: 'a size or voxel spacing that no chest CT has', effect: 'uses the scan as it is' },
  calibration: {
    where: 'scan',
    seen: 'a whole scan in HU whose values cannot be those of a chest: a wrong rescale slope or intercept',
    effect: 'takes the values as they are',
  },
  'row-length': {
    where: 'scan',
    seen: 'rows of voxels that do not fit below each other: sizes of the header that were exchanged, or are of another file',
    effect: 'uses the scan as it is',
  },
  discontinuity: {
    where: 'scan',
    seen: 'slices that do not follow each other: one unlike its neighbours, swapped ones, a jump',
  },
  coverage: { where: 'scan', seen: 'lungs that go on beyond the highest or the lowest slice' },
  anatomy: {
    where: 'scan',
    seen: 'a whole chest that does not seem to lie as the header says: axes exchanged, front and back or top and bottom',
  },
  unreadable: { where: 'dataset', seen: 'a scan or label map that cannot be read' },
  'no-label': { where: 'dataset', seen: 'a case to train on that has no label map' },
  grid: {
    where: 'label map',
    seen: 'labels that are not on the grid of their scan; `dataset check --fix` repairs harmless ones',
  },
  'label-value': {
    where: 'label map',
    seen: 'values that no class declares, and that are not the declared label to ignore',
  },
  'near-empty': { where: 'label map', seen: 'next to nothing of a class' },
  duplicate: { where: 'dataset', seen: 'the same scan for two patients, or on two sides of a split' },
  repeated: { where: 'dataset', seen: 'the same scan twice for one patient' },
  'divided-patient': { where: 'dataset', seen: 'scans of a patient on two sides of a split' },
  'patient-name': { where: 'dataset', seen: 'a case whose name tells another patient than the list' },
  'mixed-scales': { where: 'dataset', seen: 'scans in HU and scans in 0–255' },
  'changed-data': {
    where: 'run folder',
    seen: 'scans or labels that are not those that the training was begun with',
    effect: 'goes on with them all the same',
  },
};
