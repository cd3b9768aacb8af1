/** Hostile input for every reader. */
export type { FuzzReader, FuzzSeed } from './reader.js';
export { readers } from './readers.js';
export { type Finding, type FuzzReport, runFuzz, type RunOptions } from './run.js';
