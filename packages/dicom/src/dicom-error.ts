/**
 * The error of everything DICOM. It names the file (or the series) and a stable reason, so that a batch over a whole
 * archive can be sorted by what went wrong. Messages carry positions and file names but never patient data.
 */
import { QuickcolumnError } from '@quickcolumn/errors';

/** What is wrong, for programs. Those of a series (from `modality` on) are also the kinds of a SeriesProblem. */
export type DicomReason =
  | 'not-dicom'
  | 'damaged'
  | 'truncated'
  | 'limit'
  | 'archive'
  | 'transfer-syntax'
  | 'pixels'
  | 'labels'
  | 'write'
  | 'no-series'
  | 'several-series'
  | 'modality'
  | 'no-pixels'
  | 'color'
  | 'geometry'
  | 'localizer'
  | 'mixed-size'
  | 'mixed-spacing'
  | 'mixed-orientation'
  | 'duplicates'
  | 'missing'
  | 'uneven'
  | 'tilt'
  | 'scattered';

/** A DICOM file or series that cannot be read or written; code `dicom`. */
export class DicomError extends QuickcolumnError {
  /** File, archive entry (`scans.zip/IM0001`), or a series by its UID. */
  readonly path: string;
  readonly reason: DicomReason;

  constructor(path: string, reason: DicomReason, problem: string, options?: { cause?: unknown }) {
    super('dicom', `${path}: ${problem}`, { path, reason }, options);
    this.path = path;
    this.reason = reason;
  }
}

/** @throws QuickcolumnError `interrupted` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new QuickcolumnError('interrupted', 'reading the DICOM files was interrupted');
}
