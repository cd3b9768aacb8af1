import { QuickcolumnError } from '@quickcolumn/errors';

/** Cases, lists or folders that cannot be used as they are (code `dataset`); fields say which file, place and column. */
export class DatasetError extends QuickcolumnError {
  constructor(message: string, fields: Readonly<Record<string, unknown>> = {}, options?: { cause?: unknown }) {
    super('dataset', message, fields, options);
  }
}
