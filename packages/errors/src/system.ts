/** Errors of system calls, as Node throws them: what they are called, and whether they are about input or output. */
import type { ErrorCode } from './codes.js';

/** `ENOENT` and the like, or undefined when an error is not of a system call. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return String(error.code);
}

/** What a failed system call means, in words a user can act on, with the system's code. */
export function describeSystemError(cause: unknown): string {
  const code = systemErrorCode(cause);
  const words = code === undefined ? undefined : systemErrors[code]?.words;
  if (words !== undefined) return `${words} (${code})`;
  return cause instanceof Error ? cause.message : String(cause);
}

/** The error code of a system call's error that nobody wrapped; undefined for other errors. */
export function systemErrorKind(error: unknown): ErrorCode | undefined {
  const code = systemErrorCode(error);
  return code === undefined ? undefined : systemErrors[code]?.kind;
}

const systemErrors: Readonly<Record<string, { readonly kind: ErrorCode; readonly words?: string }>> = {
  ENOENT: { kind: 'file-read', words: 'no such file or folder' },
  EISDIR: { kind: 'file-read', words: 'it is a folder' },
  EIO: { kind: 'file-read' },
  ELOOP: { kind: 'file-read' },
  ENAMETOOLONG: { kind: 'file-read' },
  EMFILE: { kind: 'file-read', words: 'too many open files' },
  EACCES: { kind: 'file-write', words: 'permission denied' },
  EPERM: { kind: 'file-write', words: 'not permitted' },
  EROFS: { kind: 'file-write', words: 'the file system is read-only' },
  ENOSPC: { kind: 'file-write', words: 'no space left on the disk' },
  EDQUOT: { kind: 'file-write', words: 'disk quota exceeded' },
  EFBIG: { kind: 'file-write' },
  EEXIST: { kind: 'file-write', words: 'a file of that name is in the way' },
  ENOTDIR: { kind: 'file-write', words: 'a part of the path is not a folder' },
};
