import { QuickcolumnError } from '@quickcolumn/errors';

/** An operation was given inputs that it cannot take; code `graph`, fields {op}. */
export class GraphError extends QuickcolumnError {
  readonly op: string;

  constructor(op: string, message: string) {
    super('graph', `${op}: ${message}`, { op });
    this.op = op;
  }
}
