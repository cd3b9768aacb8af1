/**
 * The error of everything DICOM. It names the file (or the series) and a stable reason, so that a batch over a whole
 * archive can be sorted by what went wrong. Messages carry positions and file names but never patient data.
 */
import type { DefectKind } from '@quickcolumn/defects';
import { QuickcolumnError } from '@quickcolumn/errors';

/** What is wrong with a file, or (a kind of defect) with a series; for programs. */
export type DicomReason =
  | 'not-dicom'
  | 'truncated'
  | 'limit'
  | 'archive'
  | 'link'
  | 'transfer-syntax'
  | 'labels'
  | 'write'
  | 'no-pixels'
  | 'identifying'
  | DefectKind;

export interface DicomErrorOptions {
  readonly cause?: unknown;
  /** Options of a job that would help, each with its effect: {'overlap last': 'let the last region win'}. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A DICOM file or series that cannot be read or written; code `dicom`, fields {path, reason, options}. */
export class DicomError extends QuickcolumnError {
  /** File, archive entry (`scans.zip/IM0001`), or a series by its UID. */
  readonly path: string;
  readonly reason: DicomReason;

  constructor(path: string, reason: DicomReason, problem: string, { cause, options }: DicomErrorOptions = {}) {
    const fields = { path, reason, ...(options && { options }) };
    super('dicom', `${path}: ${problem}`, fields, cause === undefined ? undefined : { cause });
    this.path = path;
    this.reason = reason;
  }
}

/** @throws QuickcolumnError `interrupted` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new QuickcolumnError('interrupted', 'reading the DICOM files was interrupted');
}
