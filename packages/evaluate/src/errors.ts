/** The errors of evaluation. Messages say what came, what was expected and what to do. */
import { QuickcolumnError } from '@quickcolumn/errors';

/** Input that cannot be evaluated: undeclared label values, wrong lengths, unpaired cases. */
export class EvaluationError extends QuickcolumnError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('evaluation', message, fields);
  }
}

/** Two volumes that must share one grid do not. */
export class GridMismatchError extends QuickcolumnError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('grid-mismatch', message, fields);
  }
}
