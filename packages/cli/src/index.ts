export { createProgram } from './program.js';
export { exitCodeFor, exitCodes } from './errors.js';
