/** An operation was given inputs that it cannot take. */
export class QuickcolumnGraphError extends Error {
  readonly code = 'graph';
  readonly op: string;

  constructor(op: string, message: string) {
    super(`${op}: ${message}`);
    this.name = 'QuickcolumnGraphError';
    this.op = op;
  }
}
