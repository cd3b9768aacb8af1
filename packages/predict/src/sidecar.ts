/**
 * The JSON file beside a predicted mask: what every label value means and which model drew it.
 *
 * A mask alone is numbers without names. The sidecar names each class, gives its volume, and pins the model by the
 * checksum of its file and of its weights, so that a mask found years later can be traced.
 */
import type { ModelMetadata } from '@quickcolumn/pipeline';
import { type Size3, type Volume, voxelVolumeMm3 } from '@quickcolumn/volume';
import type { MirrorAxis } from './mirror.js';
import type { PostProcessing } from './post-process.js';

export const RESEARCH_NOTICE = 'research use only, not a medical device';

export interface ModelFile {
  readonly file: string;
  readonly sha256: string;
  readonly weightsSha256: string;
}

export interface PredictionOptions {
  readonly weighting?: 'gaussian';
  /** Axes along which windows were mirrored; x is left-right. */
  readonly mirror?: readonly MirrorAxis[];
  readonly postProcessing?: PostProcessing & { readonly removedVoxels: number; readonly filledVoxels: number };
}

/** What clinicians read, measured in the mask and in the scan; HU are null where the scan is not in HU. */
export interface SidecarQuantities {
  /** Name of the class that lesions are of. */
  readonly lesion: string;
  readonly lesionMl: number;
  /** Infected share of each lung, 0–1; null where the mask shows no lung. */
  readonly infectedShare: Readonly<Record<'left' | 'right' | 'both', number | null>> | null;
  /** Connected components (26) of at least the minimum volume. */
  readonly lesionCount: number;
  readonly minimumLesionMl: number;
  readonly lesionMeanHu: number | null;
  readonly leftLungMeanHu: number | null;
  readonly rightLungMeanHu: number | null;
}

export interface MaskSidecar {
  readonly notice: string;
  readonly mask: string;
  readonly scan: { readonly name: string; readonly scale: 'hu' | '0-255'; readonly size: Size3 };
  readonly model: ModelFile;
  /** All models of an ensemble, `model` among them; absent for one. */
  readonly ensemble?: readonly ModelFile[];
  readonly window: { readonly patch: Size3; readonly overlap: Size3 };
  /** What was switched on beside the plain sliding window; absent when nothing was. */
  readonly options?: PredictionOptions;
  readonly classes: ReadonlyArray<{
    readonly value: number;
    readonly name: string;
    readonly color: readonly [number, number, number];
    readonly voxels: number;
    readonly volumeMl: number;
    /** File of this class's probabilities, when they were asked for. */
    readonly probabilities?: string;
  }>;
  /** Absent where no class is called infection, lesion or tumour. */
  readonly quantities?: SidecarQuantities;
}

/** Describes a mask; file names are given without folders so that the pair can be moved. */
export function describeMask(
  labels: Volume<Uint8Array>,
  metadata: ModelMetadata,
  about: Pick<MaskSidecar, 'mask' | 'scan' | 'window' | 'ensemble' | 'options'> & {
    model: Pick<ModelFile, 'file' | 'sha256'>;
    probabilities?: readonly string[];
    quantities?: SidecarQuantities | null;
  },
): MaskSidecar {
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.voxels.length; i++) counts[labels.voxels[i]]++;
  const voxelMl = voxelVolumeMm3(labels.affine) / 1000;
  return {
    notice: RESEARCH_NOTICE,
    mask: about.mask,
    scan: about.scan,
    model: { ...about.model, weightsSha256: metadata.weightsSha256 },
    ...(about.ensemble === undefined ? {} : { ensemble: about.ensemble }),
    window: about.window,
    ...(about.options === undefined ? {} : { options: about.options }),
    classes: metadata.preparation.classes.map(({ value, name, color }, index) => ({
      value,
      name,
      color: [color[0], color[1], color[2]],
      voxels: counts[value],
      volumeMl: Number((counts[value] * voxelMl).toFixed(3)),
      ...(about.probabilities === undefined ? {} : { probabilities: about.probabilities[index] }),
    })),
    ...(about.quantities ? { quantities: roundQuantities(about.quantities) } : {}),
  };
}

/** As many decimals as mean something. */
function roundQuantities(exact: SidecarQuantities): SidecarQuantities {
  const round = (value: number | null, digits: number): number | null =>
    value === null ? null : Number(value.toFixed(digits));
  const { infectedShare } = exact;
  return {
    lesion: exact.lesion,
    lesionMl: Number(exact.lesionMl.toFixed(3)),
    infectedShare: infectedShare && {
      left: round(infectedShare.left, 4),
      right: round(infectedShare.right, 4),
      both: round(infectedShare.both, 4),
    },
    lesionCount: exact.lesionCount,
    minimumLesionMl: exact.minimumLesionMl,
    lesionMeanHu: round(exact.lesionMeanHu, 1),
    leftLungMeanHu: round(exact.leftLungMeanHu, 1),
    rightLungMeanHu: round(exact.rightLungMeanHu, 1),
  };
}
