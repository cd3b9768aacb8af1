/**
 * The base class of every error that a Quickcolumn package throws on purpose, and its form as plain data. The message is
 * for people: what came, what was expected, where, and what to do. Code and fields are for programs.
 *
 * The trap: an error that crossed a process, a worker or a page keeps code, fields and causes, but not its class. Ask for
 * `error.code`, never for `instanceof` a subclass, where an error may come from elsewhere.
 */
import { type ErrorCode, isErrorCode } from './codes.js';
import { systemErrorKind } from './system.js';

/** Facts about an error for programs: paths, field names, sizes. Values that JSON can hold. */
export type ErrorFields = Readonly<Record<string, unknown>>;

/** An error as plain data; what JSON.stringify makes of a QuickcolumnError. */
export interface ErrorJson {
  readonly code: ErrorCode;
  /** Name of the class that it was thrown as. */
  readonly name: string;
  readonly message: string;
  readonly fields: ErrorFields;
  readonly stack?: string;
  readonly cause?: ErrorJson;
}

export class QuickcolumnError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super(message, options);
    // new.target, so that a subclass needs no line of its own to show its name in a stack trace.
    this.name = new.target.name;
    this.code = code;
    this.fields = fields;
  }

  toJSON(): ErrorJson {
    return errorToJson(this);
  }

  /** @throws TypeError for what is no ErrorJson */
  static fromJSON(json: unknown): QuickcolumnError {
    return errorFromJson(json, 0);
  }
}

/** The code of anything thrown: its own, that of a refused system call, or `internal` for what nobody threw on purpose. */
export function errorCodeOf(error: unknown): ErrorCode {
  if (error instanceof QuickcolumnError) return error.code;
  if (error instanceof Error && error.name === 'AbortError') return 'interrupted';
  return systemErrorKind(error) ?? 'internal';
}

/** Causes of causes are followed this far, in case one holds itself. */
const deepestCause = 8;

/** Anything thrown, as plain data; `QuickcolumnError.fromJSON` turns it back. */
export function errorToJson(error: unknown, depth = 0): ErrorJson {
  const { name, message, stack, cause } =
    error instanceof Error ? error : { name: 'Error', message: String(error), stack: undefined, cause: undefined };
  return {
    code: errorCodeOf(error),
    name,
    message,
    fields: error instanceof QuickcolumnError ? plainFields(error.fields) : {},
    ...(stack === undefined ? {} : { stack }),
    ...(cause === undefined || depth >= deepestCause ? {} : { cause: errorToJson(cause, depth + 1) }),
  };
}

/** Fields hold JSON by their type's word only; what does not survive the way is shown as text. */
function plainFields(fields: ErrorFields): ErrorFields {
  const text = JSON.stringify(fields, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
  return JSON.parse(text) as ErrorFields;
}

function errorFromJson(json: unknown, depth: number): QuickcolumnError {
  const { code, name, message, fields = {}, stack, cause } = (json ?? {}) as Partial<ErrorJson>;
  if (!isErrorCode(code) || typeof message !== 'string') {
    throw new TypeError(`no error of quickcolumn: ${(JSON.stringify(json) ?? 'undefined').slice(0, 200)}`);
  }
  const hasCause = cause !== undefined && depth < deepestCause;
  const error = new QuickcolumnError(
    code,
    message,
    fields,
    hasCause ? { cause: errorFromJson(cause, depth + 1) } : undefined,
  );
  if (typeof name === 'string') error.name = name;
  if (typeof stack === 'string') error.stack = stack;
  return error;
}
