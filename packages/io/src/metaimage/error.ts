/** The error of the MetaImage reader. It names the file and the header field, as NiftiError does. */
import { QuickcolumnError } from '@quickcolumn/errors';

/** A MetaImage file that cannot be read; code `metaimage`. */
export class MetaImageError extends QuickcolumnError {
  readonly path: string;
  /** Header field by its name in the format's definition, e.g. `ElementSpacing`, or `file`, `header`, `voxels`. */
  readonly field: string;

  constructor(path: string, field: string, problem: string, options?: { cause?: unknown }) {
    super('metaimage', `${path}: ${field}: ${problem}`, { path, field }, options);
    this.path = path;
    this.field = field;
  }
}
