/** The error about files that belong to no format. A format without a code of its own throws it for its files, too. */
import { QuickcolumnError } from '@quickcolumn/errors';

/** A file that no format can read or write; code `format`. */
export class FormatError extends QuickcolumnError {
  readonly path: string;
  /** What is wrong with it: `file`, or a part that the format has a name for. */
  readonly field: string;

  constructor(path: string, problem: string, field: string = 'file') {
    super('format', `${path}: ${field}: ${problem}`, { path, field });
    this.path = path;
    this.field = field;
  }
}
