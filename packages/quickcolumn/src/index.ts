/** The command as a library has it: for programs that embed it, and for tests. */
export { createProgram } from './program.js';
export { exitCodeFor } from './terminal/errors.js';
