/**
 * Every error code there is. A code is stable across versions and says what kind of thing went wrong; scripts, the
 * service and exit codes go by it. A new code is one line here and one in exit-codes.ts, which does not compile without.
 */

export const errorCodes = [
  // What was asked for.
  'usage',
  'config',
  'interrupted',
  // Files and folders.
  'input',
  'file-read',
  'file-write',
  'output',
  'busy',
  // What files hold.
  'format',
  'volume',
  'nifti',
  'nrrd',
  'metaimage',
  'png',
  'dicom',
  'safetensors',
  'model',
  // Scans, labels, datasets.
  'defect',
  'preparation',
  'prepared-cache',
  'grid-mismatch',
  'label-value',
  'dataset',
  'phantom',
  'evaluation',
  // Training.
  'train',
  'diverged',
  'checkpoint',
  'history',
  'sample-pool',
  // Computing.
  'memory',
  'runtime',
  'graph',
  'worker',
  // A fault of ours.
  'internal',
] as const;

/** Stable across versions; the wording of messages is not. */
export type ErrorCode = (typeof errorCodes)[number];

const known: ReadonlySet<unknown> = new Set(errorCodes);

export const isErrorCode = (code: unknown): code is ErrorCode => known.has(code);
