/** What the operating system's refusals are called. */
import { describeSystemError, QuickcolumnError } from '@quickcolumn/errors';

/** The operating system refused to read or write a file; code `file-read` or `file-write`, the system's error as `cause`. */
export class FileError extends QuickcolumnError {
  readonly path: string;

  constructor(path: string, action: 'read' | 'write', cause: unknown) {
    super(`file-${action}`, `${path}: cannot ${action}: ${describeSystemError(cause)}`, { path }, { cause });
    this.path = path;
  }
}
