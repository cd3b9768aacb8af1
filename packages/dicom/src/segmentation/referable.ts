/**
 * Whether a segmentation can refer to the images that it was made of. Every reference is a UID of the source (PS3.3,
 * C.7.6.16.2.1 and C.12.4); made-up ones would point to images that exist nowhere, so without them none is written.
 */
import { DicomError } from '../dicom-error.js';
import { readHeader } from '../data-set/read-file.js';
import type { DicomVolume } from '../series/read-series.js';
import { copiedStudy } from './copied-study.js';

/** Root 0 to 2, components without leading zeros, at most 64 characters (PS3.5, 9.1). */
function isUid(value: string): boolean {
  return value.length <= 64 && /^[0-2](\.(0|[1-9]\d*))+$/.test(value);
}

/**
 * @param scan a series that was read
 * @throws DicomError `write` where study, series or images have no valid UID, or two images share one
 */
export function checkReferable({ seriesUid, studyUid, frameOfReferenceUid, images, sources }: DicomVolume): void {
  const fail = (problem: string): never => {
    throw new DicomError(
      `series ${seriesUid || 'without UID'}`,
      'write',
      `a DICOM segmentation must refer to its images, but ${problem}; no segmentation is written`,
      { options: { 'format nifti': 'write the mask in a format without references' } },
    );
  };
  if (!isUid(studyUid)) fail('the study has no valid Study Instance UID');
  if (!isUid(seriesUid)) fail('the series has no valid Series Instance UID');
  if (frameOfReferenceUid !== '' && !isUid(frameOfReferenceUid)) fail('the Frame of Reference UID is not valid');
  const lost = images.filter(({ instanceUid, classUid }) => !isUid(instanceUid) || !isUid(classUid)).length;
  if (lost > 0) fail(`${lost} of ${images.length} images have no valid SOP Instance UID or SOP Class UID`);
  const planes = sources.flatMap(({ images: shown, exact }) =>
    exact ? shown.map(({ instanceUid, frame }) => `${instanceUid} ${frame ?? ''}`) : [],
  );
  if (new Set(planes).size < planes.length) fail('several of its slices have the same SOP Instance UID');
}

/**
 * Whether a segmentation of this series can be written; cheap, to be asked before anything is computed.
 * @throws DicomError `write`, as `encodeSegmentation` would
 */
export async function checkSegmentable(scan: DicomVolume): Promise<void> {
  checkReferable(scan);
  const { dataSet } = await readHeader(scan.firstSource);
  copiedStudy(`series ${scan.seriesUid}`, dataSet);
}
