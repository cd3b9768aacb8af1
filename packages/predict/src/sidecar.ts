/**
 * The JSON file beside a predicted mask: what every label value means, what was measured, and what drew it.
 *
 * A mask alone is numbers without names. The sidecar names each class, gives its volume, and pins the model by the
 * checksum of its file and of its weights, the runtime and the program, so that a mask found years later can be traced.
 * Version 1 had neither format nor version, program, runtime, units and roles; all that it had is still there.
 */
import type { MaskMeasurement, MaskQuantities } from '@quickcolumn/measure';
import type { IntensityScale, LabelClass, LabelRole, Size3 } from '@quickcolumn/volume';
import type { Doubt } from './doubts/doubts.js';
import type { LoadedModel, ModelFile, ModelRuntime } from './model/loaded-model.js';
import type { PostProcessing } from './post-process.js';
import type { Prediction, PredictOptions } from './predict.js';
import type { MirrorAxis } from './windows/mirror.js';

export const RESEARCH_NOTICE = 'research use only, not a medical device';

/** Who writes: the command line, a page, a service. */
export interface Program {
  readonly name: string;
  readonly version: string;
}

/** What was switched on beside the plain sliding window. */
export interface PredictionOptions {
  readonly weighting?: 'gaussian';
  /** Axes along which windows were mirrored; x is left-right. */
  readonly mirror?: readonly MirrorAxis[];
  readonly postProcessing?: PostProcessing & { readonly removedVoxels: number; readonly filledVoxels: number };
}

/** Of the numbers in a sidecar, by the ending of their keys. */
const units = {
  Ml: 'millilitres',
  Hu: 'Hounsfield units',
  infectedShare: 'parts of 1',
  agreement: 'expected Dice between members of the prediction, null where it was not measured',
  size: 'voxels along x, y, z of the scan',
  window: 'voxels along x, y, z of the prepared scan',
} as const;

export interface MaskSidecar {
  readonly format: 'quickcolumn-mask';
  readonly version: 2;
  readonly notice: string;
  readonly program: Program;
  readonly units: typeof units;
  readonly mask: string;
  readonly scan: {
    readonly name: string;
    readonly scale: IntensityScale;
    readonly size: Size3;
    /** Of voxels and affine as they were read, lower-case hex; absent where nobody has computed it. */
    readonly sha256?: string;
  };
  readonly model: ModelFile;
  /** All models of an ensemble, `model` among them; absent for one. */
  readonly ensemble?: readonly ModelFile[];
  readonly runtime: ModelRuntime;
  readonly window: { readonly patch: Size3; readonly overlap: Size3 };
  /** Absent when nothing was switched on. */
  readonly options?: PredictionOptions;
  /** What was assumed, repaired, noted or accepted of the scan, for people; absent where there was nothing. */
  readonly notes?: readonly string[];
  readonly classes: ReadonlyArray<{
    readonly value: number;
    readonly name: string;
    readonly color: LabelClass['color'];
    readonly role?: LabelRole;
    readonly voxels: number;
    readonly volumeMl: number;
    /** Between windows, mirrored copies and models, 0 to 1; null where nothing overlapped, or nothing is of the class. */
    readonly agreement: number | null;
    /** File of this class's probabilities, when they were asked for. */
    readonly probabilities?: string;
  }>;
  /** Why the mask may be wrong, for people and programs; empty where nothing says so. */
  readonly doubts: readonly Doubt[];
  /** The map of disagreement, when it was asked for; null where nothing overlapped. */
  readonly disagreement?: string | null;
  /** What clinicians read; HU are null where the scan is not in HU. Absent where no class is a lesion. */
  readonly quantities?: MaskQuantities;
}

/** Names without folders, so that scan, mask and sidecar can be moved together. */
export interface SidecarFiles {
  readonly scan: string;
  /** Content of the scan, for `scan.sha256`. */
  readonly scanSha256?: string;
  readonly mask: string;
}

/** Describes a mask; the measurement is in the order of the model's classes. */
export function describeMask(
  model: LoadedModel,
  { labels, scale, removedVoxels, filledVoxels, notes, agreement }: Omit<Prediction, 'estimate' | 'facts' | 'isPart'>,
  about: {
    readonly files: SidecarFiles;
    readonly program: Program;
    readonly window: MaskSidecar['window'];
    readonly options: Pick<PredictOptions, 'weighting' | 'mirror' | 'postProcessing'>;
    readonly measurement: MaskMeasurement;
    readonly doubts: readonly Doubt[];
  },
): MaskSidecar {
  const { files, program, window, measurement, doubts } = about;
  const options = describeOptions(about.options, { removedVoxels, filledVoxels });
  return {
    format: 'quickcolumn-mask',
    version: 2,
    notice: RESEARCH_NOTICE,
    program: { name: program.name, version: program.version },
    units,
    mask: files.mask,
    scan: {
      name: files.scan,
      scale,
      size: labels.size,
      ...(files.scanSha256 === undefined ? {} : { sha256: files.scanSha256 }),
    },
    model: model.files[0],
    ...(model.files.length === 1 ? {} : { ensemble: model.files }),
    runtime: model.runtime,
    window,
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(notes.length === 0 ? {} : { notes }),
    classes: model.metadata.preparation.classes.map(({ value, name, color, role }, index) => ({
      value,
      name,
      color,
      ...(role === undefined ? {} : { role }),
      voxels: measurement.volumes[index].voxels,
      volumeMl: Number(measurement.volumes[index].volumeMl.toFixed(3)),
      agreement: measurement.volumes[index].voxels === 0 ? null : round(agreement[index], 4),
    })),
    doubts: doubts.map((doubt) => ({ ...doubt, value: Number(doubt.value.toPrecision(4)) })),
    ...(measurement.quantities === null ? {} : { quantities: roundQuantities(measurement.quantities) }),
  };
}

/** The same with the files of the probabilities, one a class, once they are there. */
export function withProbabilities(sidecar: MaskSidecar, files: readonly string[]): MaskSidecar {
  const classes = sidecar.classes.map((one, index) => ({ ...one, probabilities: files[index] }));
  return { ...sidecar, classes };
}

/** The same with the file of the map of disagreement; null where nothing overlapped. */
export function withDisagreement(sidecar: MaskSidecar, file: string | null): MaskSidecar {
  return { ...sidecar, disagreement: file };
}

export function describeOptions(
  { weighting, mirror = [], postProcessing }: Pick<PredictOptions, 'weighting' | 'mirror' | 'postProcessing'>,
  changed: { readonly removedVoxels: number; readonly filledVoxels: number },
): PredictionOptions {
  return {
    ...(weighting === 'gaussian' ? { weighting } : {}),
    ...(mirror.length === 0 ? {} : { mirror }),
    ...(postProcessing === undefined ? {} : { postProcessing: { ...postProcessing, ...changed } }),
  };
}

const round = (value: number | null, digits: number): number | null =>
  value === null ? null : Number(value.toFixed(digits));

/** As many decimals as mean something. */
function roundQuantities(exact: MaskQuantities): MaskQuantities {
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
