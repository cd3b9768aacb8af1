/**
 * The parts of a segmentation that tie it to its images (PS3.3, C.7.6.16 and C.7.6.17): references to the series, the
 * indices of its frames, and for each frame its place and the image it was drawn on.
 */
import type { Vector3, Volume } from '@quickcolumn/volume';
import type { DicomVolume, PlaneImages, SourceImage } from '../series/read-series.js';
import { tags } from '../data-set/tags.js';
import { cross, dot, norm } from '../series/vectors.js';
import { type Code, decimalString, element, newUid, type WriteElement } from '../data-set/write-data-set.js';

const segmentation: Code = { value: '113076', scheme: 'DCM', meaning: 'Segmentation' };
const sourceImage: Code = { value: '121322', scheme: 'DCM', meaning: 'Source image for image processing operation' };

/** Which segment, from 1, on which plane, from 0. */
export interface SegmentFrame {
  readonly segment: number;
  readonly plane: number;
}

/** The three elements of a code sequence's item. */
export function codeItem({ value, scheme, meaning }: Code): WriteElement[] {
  return [
    element(tags.CodeValue, 'SH', value),
    element(tags.CodingSchemeDesignator, 'SH', scheme),
    element(tags.CodeMeaning, 'LO', meaning),
  ];
}

/** References to every image. */
export function referencedSeries(seriesUid: string, images: readonly SourceImage[]): WriteElement[] {
  const instances = new Map(images.map((image) => [image.instanceUid, image]));
  return [
    element(tags.ReferencedSeriesSequence, 'SQ', [
      [
        element(tags.SeriesInstanceUID, 'UI', seriesUid),
        element(
          tags.ReferencedInstanceSequence,
          'SQ',
          [...instances.values()].map((image) => reference(image)),
        ),
      ],
    ]),
  ];
}

function reference({ classUid, instanceUid }: SourceImage): WriteElement[] {
  return [
    element(tags.ReferencedSOPClassUID, 'UI', classUid),
    element(tags.ReferencedSOPInstanceUID, 'UI', instanceUid),
  ];
}

/** Frames are indexed by segment, then by place. */
export function dimensions(): WriteElement[] {
  const uid = newUid();
  const pointer = (to: number, group: number, label: string): WriteElement[] => [
    element(tags.DimensionOrganizationUID, 'UI', uid),
    element(tags.DimensionIndexPointer, 'AT', [to]),
    element(tags.FunctionalGroupPointer, 'AT', [group]),
    element(tags.DimensionDescriptionLabel, 'LO', label),
  ];
  return [
    element(tags.DimensionOrganizationSequence, 'SQ', [[element(tags.DimensionOrganizationUID, 'UI', uid)]]),
    element(tags.DimensionIndexSequence, 'SQ', [
      pointer(tags.ReferencedSegmentNumber, tags.SegmentIdentificationSequence, 'Segment'),
      pointer(tags.ImagePositionPatient, tags.PlanePositionSequence, 'Position'),
    ]),
  ];
}

/** Place, segment and source of every frame. */
export function functionalGroups(
  labels: Volume<Uint8Array>,
  scan: DicomVolume,
  frames: readonly SegmentFrame[],
): WriteElement[] {
  const { affine } = labels;
  // RAS to LPS.
  const column = (c: number): Vector3 => [-affine[c] + 0, -affine[4 + c] + 0, affine[8 + c]];
  const [x, y, z, origin] = [column(0), column(1), column(2), column(3)];
  const unit = (v: Vector3): number[] => v.map((value) => value / norm(v));
  const normal = cross([x[0], x[1], x[2]], y);
  const distance = decimalString(Math.abs(dot(z, normal)) / norm(normal));
  const decimals = (values: readonly number[]): string => values.map((value) => decimalString(value)).join('\\');
  const shared = [
    element(tags.PlaneOrientationSequence, 'SQ', [
      [element(tags.ImageOrientationPatient, 'DS', decimals([...unit(x), ...unit(y)]))],
    ]),
    element(tags.PixelMeasuresSequence, 'SQ', [
      [
        element(tags.SliceThickness, 'DS', distance),
        element(tags.SpacingBetweenSlices, 'DS', distance),
        element(tags.PixelSpacing, 'DS', decimals([norm(y), norm(x)])),
      ],
    ]),
  ];
  const perFrame = frames.map(({ segment, plane }) => {
    const position = origin.map((value, axis) => value + plane * z[axis]);
    return [
      element(tags.FrameContentSequence, 'SQ', [[element(tags.DimensionIndexValues, 'UL', [segment, plane + 1])]]),
      element(tags.PlanePositionSequence, 'SQ', [[element(tags.ImagePositionPatient, 'DS', decimals(position))]]),
      element(tags.SegmentIdentificationSequence, 'SQ', [[element(tags.ReferencedSegmentNumber, 'US', [segment])]]),
      ...derivation(scan.sources[plane]),
    ];
  });
  return [
    element(tags.SharedFunctionalGroupsSequence, 'SQ', [shared]),
    element(tags.PerFrameFunctionalGroupsSequence, 'SQ', perFrame),
  ];
}

/** The images that a frame was drawn on. */
function derivation({ images, exact }: PlaneImages): WriteElement[] {
  const sources = images.map((image) => [
    ...reference(image),
    ...(image.frame === undefined ? [] : [element(tags.ReferencedFrameNumber, 'IS', String(image.frame))]),
    element(tags.SpatialLocationsPreserved, 'CS', exact ? 'YES' : 'NO'),
    element(tags.PurposeOfReferenceCodeSequence, 'SQ', [codeItem(sourceImage)]),
  ]);
  return [
    element(tags.DerivationImageSequence, 'SQ', [
      [
        element(tags.SourceImageSequence, 'SQ', sources),
        element(tags.DerivationCodeSequence, 'SQ', [codeItem(segmentation)]),
      ],
    ]),
  ];
}
