/** Errors with a stable code and typed fields, their form as JSON, and the exit code of each. */
export { type ErrorCode, errorCodes } from './codes.js';
export { errorCodeOf, type ErrorFields, type ErrorJson, errorToJson, QuickcolumnError } from './error.js';
export { type ExitCode, exitCodeOf, exitCodes } from './exit-codes.js';
export { describeSystemError, systemErrorCode } from './system.js';
