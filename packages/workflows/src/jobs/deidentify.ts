/** DICOM files without whom they show. */
import {
  type DateHandling,
  dateHandlings,
  keptInformation,
  type KeptInformation,
  type RefusalKind,
  refusalKinds,
} from '@quickcolumn/dicom';
import type { ErrorCode } from '@quickcolumn/errors';
import { z } from 'zod';
import { flag, path } from './parts.js';

export interface DeidentifyJob {
  readonly kind: 'deidentify';
  /** Folders, zip archives, files. */
  readonly inputs: readonly string[];
  /** A folder; each series gets one in it. */
  readonly out: string;
  /** File of the key that makes the new identifiers; made where there is none. Default: a key for this run alone. */
  readonly key?: string;
  /** Default remove. */
  readonly dates?: DateHandling;
  /** Options of the profile: what stays. */
  readonly keep?: readonly KeptInformation[];
  /** Kinds of objects that pass although their pixels may show names. */
  readonly accept?: readonly RefusalKind[];
  readonly force?: boolean;
}

export interface DeidentifiedSeries {
  readonly seriesUid: string;
  readonly patientId: string;
  readonly folder: string;
  readonly files: number;
}

/** A file that was left out. */
export interface RefusedFile {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
  /** Options of the job that would help. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface DeidentifyJobResult {
  readonly series: readonly DeidentifiedSeries[];
  /** Files that are not DICOM, and indexes of media. */
  readonly otherFiles: number;
}

export const deidentifyJob: z.ZodType<DeidentifyJob> = z.strictObject({
  kind: z.literal('deidentify'),
  inputs: z.array(path).min(1),
  out: path,
  key: path.optional(),
  dates: z.enum(dateHandlings).optional(),
  keep: z.array(z.enum(keptInformation)).optional(),
  accept: z.array(z.enum(refusalKinds)).optional(),
  force: flag.optional(),
});
