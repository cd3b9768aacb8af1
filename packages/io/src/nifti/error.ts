/**
 * The error of the NIfTI reader and writer. It always names the file and the header field (or the part of the file:
 * 'file', 'gzip', 'voxels') that is wrong, so that a batch over hundreds of scans says which one to look at.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { type ErrorDetails, optionsOf } from '../headers/error-details.js';

/** A NIfTI file that cannot be read or written; code `nifti`. */
export class NiftiError extends QuickcolumnError {
  /** File (or the name given to `parseNifti`). */
  readonly path: string;
  /** Header field by its name in nifti1.h, e.g. `dim[3]`, or `file`, `header`, `gzip`, `voxels`, `affine`. */
  readonly field: string;

  constructor(path: string, field: string, problem: string, about: ErrorDetails = {}) {
    super('nifti', `${path}: ${field}: ${problem}`, { path, field, ...optionsOf(about) }, about);
    this.path = path;
    this.field = field;
  }
}
