/** The error of evaluation. Messages say what came, what was expected and what to do. */
import { QuickcolumnError } from '@quickcolumn/errors';

/** Input that cannot be evaluated: undeclared label values, wrong lengths, unpaired cases. */
export class EvaluationError extends QuickcolumnError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}) {
    super('evaluation', message, fields);
  }
}
