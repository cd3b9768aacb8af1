/**
 * Tagged errors. Every error that a Quickcolumn package throws on purpose derives from QuickcolumnError and carries a
 * stable `code` (the command line maps codes to exit codes) and typed fields for programs. The message is for people:
 * what came, what was expected, where, and what to do.
 */

/** Facts about an error for programs: paths, field names, sizes. JSON-able. */
export type ErrorFields = Readonly<Record<string, unknown>>;

/** Base class of all deliberate errors. `code` is stable across versions; the wording of `message` is not. */
export class QuickcolumnError extends Error {
  readonly code: string;
  readonly fields: ErrorFields;

  constructor(code: string, message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super(message, options);
    // new.target, so that a subclass needs no line of its own to show its name in a stack trace.
    this.name = new.target.name;
    this.code = code;
    this.fields = fields;
  }
}

/** A grid, a size or an array of voxels that does not fit together; code `volume`. */
export class VolumeError extends QuickcolumnError {
  constructor(message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super('volume', message, fields, options);
  }
}
