/** Hostile input for every reader. */
export type { FuzzReader, FuzzSeed } from './readers/reader.js';
export { readers } from './readers/readers.js';
export { type Finding, type FuzzReport, runFuzz, type RunOptions } from './run/run.js';
