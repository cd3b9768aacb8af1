import { type ErrorFields, QuickcolumnError } from '@quickcolumn/errors';

/** A grid, a size or an array of voxels that does not fit together; code `volume`. */
export class VolumeError extends QuickcolumnError {
  constructor(message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super('volume', message, fields, options);
  }
}
