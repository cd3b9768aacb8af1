/** Name and version of this package, as its package.json has them; pages cannot read that, and a test compares. */
import type { Program } from '@quickcolumn/predict';

export const thisPackage: Program = { name: '@quickcolumn/browser', version: '0.1.0' };
