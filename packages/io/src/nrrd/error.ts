/** The error of the NRRD reader. It names the file and the header field, as NiftiError does. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { type ErrorDetails, optionsOf } from '../headers/error-details.js';

/** A NRRD file that cannot be read; code `nrrd`. */
export class NrrdError extends QuickcolumnError {
  readonly path: string;
  /** Header field by its name in the format's definition, e.g. `space directions`, or `file`, `header`, `voxels`. */
  readonly field: string;

  constructor(path: string, field: string, problem: string, about: ErrorDetails = {}) {
    super('nrrd', `${path}: ${field}: ${problem}`, { path, field, ...optionsOf(about) }, about);
    this.path = path;
    this.field = field;
  }
}
