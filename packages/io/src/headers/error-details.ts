/** What the errors of all volume formats carry beside file, field and problem. */

export interface ErrorDetails {
  readonly cause?: unknown;
  /** Options of a job that would help: `{ 'assumeUnits <unit>': 'say what its lengths are in' }`. */
  readonly options?: Readonly<Record<string, string>>;
}

/** As fields of the error. */
export function optionsOf({ options }: ErrorDetails): Pick<ErrorDetails, 'options'> {
  return options === undefined ? {} : { options };
}
