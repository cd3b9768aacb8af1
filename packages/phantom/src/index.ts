/** Synthetic chest CT cases with masks. */
export {
  generatePhantom,
  type Phantom,
  type PhantomOptions,
  phantomLabels,
} from './phantom.js';
export type { Lesion, LesionKind } from './lesions.js';
export { type PhantomCase, phantomCaseSeed, writePhantomCases, type WritePhantomOptions } from './write.js';
