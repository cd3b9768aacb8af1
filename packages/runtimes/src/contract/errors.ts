/** A runtime is missing, refused a graph, or failed while it ran it; code `runtime`. */
import { type ErrorFields, QuickcolumnError } from '@quickcolumn/errors';

export class RuntimeError extends QuickcolumnError {
  constructor(message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super('runtime', message, fields, options);
  }
}
