/** Scans of a batch that could not be predicted: which errors end the batch, and how the others are told at the end. */
import { errorCodeOf, exitCodeOf, exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import type { FailedScan, PredictedFiles } from '../jobs/predict.js';
import { listed } from '../text.js';

/** Whether an error is about one scan, so that another one may well be predicted. */
export function isAboutOneScan(error: unknown): boolean {
  const code = errorCodeOf(error);
  if (exitCodeOf(code) === exitCodes.input || code === 'memory') return true;
  return error instanceof QuickcolumnError && error.fields['reason'] === 'not-finite';
}

/** @param hidden the scan's name and path are not to be told, which messages do */
export function failureOf(name: string, error: unknown, hidden: boolean): FailedScan {
  const code = errorCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const options = error instanceof QuickcolumnError ? error.fields['options'] : undefined;
  return {
    name,
    code,
    message: hidden ? `cannot be predicted (${code})` : message,
    ...(typeof options === 'object' && options !== null && { options: options as Record<string, string> }),
  };
}

/** The error at the end of a batch: code `input`, or `internal` where a fault of ours is among them. */
export function batchError(
  failed: readonly FailedScan[],
  { scans, skipped }: { readonly scans: readonly PredictedFiles[]; readonly skipped: readonly string[] },
): QuickcolumnError {
  const all = failed.length + scans.length + skipped.length;
  const lines = [
    `${failed.length} of ${all} scans could not be predicted:`,
    ...listed(failed.map(({ name, message }) => `${name}: ${message}`)),
    'the masks of the others are written; when these are put right, predict them alone',
  ];
  return new QuickcolumnError(failed.some(({ code }) => code === 'internal') ? 'internal' : 'input', lines.join('\n'), {
    failed,
    scans,
    skipped,
    options: {
      ...Object.fromEntries(failed.flatMap(({ options = {} }) => Object.entries(options))),
      skipExisting: 'go on with the same inputs',
    },
  });
}

/** The masks that were written before an error, and those that were there. */
export function masksWrittenBefore(error: unknown): readonly PredictedFiles[] {
  const scans = error instanceof QuickcolumnError ? error.fields['scans'] : undefined;
  return Array.isArray(scans) ? (scans as PredictedFiles[]) : [];
}
