/** Masks of many scans with one model or an ensemble. */
import { type VolumeFormatName, volumeFormatNames } from '@quickcolumn/io';
import type { MirrorAxis } from '@quickcolumn/predict';
import type { ErrorCode } from '@quickcolumn/errors';
import type { Size3 } from '@quickcolumn/volume';
import { z } from 'zod';
import {
  type CaseNaming,
  compute,
  consent,
  count,
  flag,
  naming,
  path,
  type ScanConsent,
  size3,
  type ThreadedCompute,
} from './parts.js';

/** A class of the model, by value or by name. */
export type ClassName = string | number;

/** What is done to masks at the end; nothing where a key is missing. */
export interface PostProcessingRequest {
  /** Class → how many of its largest components are kept. */
  readonly keepLargest?: Readonly<Record<string, number>>;
  /** Class → ml below which a component is dropped. */
  readonly minimumVolume?: Readonly<Record<string, number>>;
  /** Classes whose enclosed background is filled. */
  readonly fillHoles?: readonly ClassName[];
}

/** Options of a prediction beyond the plain sliding window; all are off by default. */
export interface TestTimeOptions {
  /** Of neighbouring windows, in place of the model's own. */
  readonly overlap?: Size3;
  /** Weighs the centre of each window more than its rim. */
  readonly gaussian?: boolean;
  /** Averages over windows mirrored along these axes; x is left-right. */
  readonly mirror?: readonly MirrorAxis[];
  readonly postProcessing?: PostProcessingRequest;
}

/** A file format that masks are written in; `seg` is a DICOM segmentation, for DICOM scans. */
export type MaskFormat = VolumeFormatName | 'seg';
export const maskFormats: readonly MaskFormat[] = [...volumeFormatNames, 'seg'];

/** What scans are named by. */
export type ScanNaming = 'path' | 'series';
export const scanNamings: readonly ScanNaming[] = ['path', 'series'];

export interface PredictJob extends TestTimeOptions, ThreadedCompute, CaseNaming, ScanConsent {
  readonly kind: 'predict';
  /** Scans, folders of them, DICOM folders, zip archives or files. */
  readonly inputs: readonly string[];
  /**
   * Name of a model that comes along, model file, run folder or folder of a cross-validation; several are averaged.
   * Default `covid19-ct`, the pretrained model (CC BY-NC-SA 4.0).
   */
  readonly model?: string | readonly string[];
  /** A folder, or a file for a single scan. */
  readonly out: string;
  /** Default nifti, or what the name of a single file says. */
  readonly formats?: readonly MaskFormat[];
  /** Also writes the probability of each class. */
  readonly probabilities?: boolean;
  /** Also writes the map of disagreement between windows, mirrored copies and models. */
  readonly disagreement?: boolean;
  /** Smallest lesion that is counted. */
  readonly minimumLesionMl?: number;
  readonly patch?: Size3;
  /** Starts even where the estimate is above the available memory. */
  readonly ignoreMemory?: boolean;
  /** Starts even where the disk may have too little space for all results. */
  readonly ignoreSpace?: boolean;
  readonly force?: boolean;
  /** Leaves masks as they are that are complete and of the same scan, model and options. */
  readonly skipExisting?: boolean;
  /** Of the results of a single scan, and of the scan in its sidecar; default what its file or folder is called. */
  readonly name?: string;
  /** What scans are called: by their file or folder (default), or DICOM series by their UID. */
  readonly nameBy?: ScanNaming;
  /** UID or number of the DICOM series where a folder holds several. */
  readonly series?: string;
  /** Repairs of a DICOM series by defect, as `parseRepair` of @quickcolumn/dicom reads them: `missing=interpolate`. */
  readonly repair?: string;
}

/** What was written for a scan. */
export interface PredictedFiles {
  readonly name: string;
  /** Paths of the masks, one a format. */
  readonly masks: readonly string[];
  readonly sidecar: string;
  /** From the scan's file to its mask. */
  readonly seconds: number;
}

/** A scan that could not be predicted. */
export interface FailedScan {
  readonly name: string;
  readonly code: ErrorCode;
  /** Why, for people. */
  readonly message: string;
  /** Options of the job that would help, and what each does. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface PredictJobResult {
  readonly scans: readonly PredictedFiles[];
  /** Names of scans whose masks were there already, with `skipExisting`. */
  readonly skipped: readonly string[];
}

const classNumbers = (number: z.ZodType<number>): z.ZodType<Record<string, number>> => z.record(z.string(), number);

interface TestTimeShape {
  readonly overlap: z.ZodOptional<z.ZodType<Size3>>;
  readonly gaussian: z.ZodOptional<z.ZodType<boolean>>;
  readonly mirror: z.ZodOptional<z.ZodType<MirrorAxis[]>>;
  readonly postProcessing: z.ZodOptional<z.ZodType<PostProcessingRequest>>;
}

export const testTimeShape: TestTimeShape = {
  overlap: size3.optional(),
  gaussian: flag.optional(),
  mirror: z.array(z.enum(['x', 'y', 'z'])).optional(),
  postProcessing: z
    .strictObject({
      keepLargest: classNumbers(z.int().min(1)).optional(),
      minimumVolume: classNumbers(z.number().gt(0)).optional(),
      fillHoles: z.array(z.union([z.string(), z.number()])).optional(),
    })
    .optional(),
};

export const predictJob: z.ZodType<PredictJob> = z.strictObject({
  kind: z.literal('predict'),
  inputs: z.array(path).min(1),
  model: z.union([path, z.array(path).min(1)]).optional(),
  out: path,
  formats: z.array(z.enum(maskFormats)).min(1).optional(),
  probabilities: flag.optional(),
  disagreement: flag.optional(),
  minimumLesionMl: z.number().gt(0).optional(),
  patch: size3.optional(),
  ignoreMemory: flag.optional(),
  ignoreSpace: flag.optional(),
  force: flag.optional(),
  skipExisting: flag.optional(),
  name: z.string().min(1).optional(),
  nameBy: z.enum(scanNamings).optional(),
  series: z.string().min(1).optional(),
  repair: z.string().min(1).optional(),
  threads: count.optional(),
  ...testTimeShape,
  ...naming,
  ...compute,
  ...consent,
});
