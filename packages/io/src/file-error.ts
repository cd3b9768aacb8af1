/** What the operating system's refusals are called: FileError, and words for the codes of failed system calls. */
import { QuickcolumnError } from '@quickcolumn/volume';

/** The operating system refused to read or write a file; code `file`, the system's error as `cause`. */
export class FileError extends QuickcolumnError {
  readonly path: string;

  constructor(path: string, action: 'read' | 'write', cause: unknown) {
    super('file', `${path}: cannot ${action}: ${describeSystemError(cause)}`, { path }, { cause });
    this.path = path;
  }
}

/** What a failed system call means, in words a user can act on, with the system's code. */
export function describeSystemError(cause: unknown): string {
  const code = systemErrorCode(cause);
  const words = code === undefined ? undefined : systemErrors[code];
  if (words !== undefined) return `${words} (${code})`;
  return cause instanceof Error ? cause.message : String(cause);
}

/** `ENOENT` and the like, or undefined when an error is not of a system call. */
export function systemErrorCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause) || !('syscall' in cause)) return undefined;
  return String(cause.code);
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'disk quota exceeded',
  EROFS: 'the file system is read-only',
  EEXIST: 'a file of that name is in the way',
  EMFILE: 'too many open files',
};
