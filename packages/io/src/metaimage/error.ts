/** The error of the MetaImage reader. It names the file and the header field, as NiftiError does. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { type ErrorDetails, optionsOf } from '../headers/error-details.js';

/** A MetaImage file that cannot be read; code `metaimage`. */
export class MetaImageError extends QuickcolumnError {
  readonly path: string;
  /** Header field by its name in the format's definition, e.g. `ElementSpacing`, or `file`, `header`, `voxels`. */
  readonly field: string;

  constructor(path: string, field: string, problem: string, about: ErrorDetails = {}) {
    super('metaimage', `${path}: ${field}: ${problem}`, { path, field, ...optionsOf(about) }, about);
    this.path = path;
    this.field = field;
  }
}
