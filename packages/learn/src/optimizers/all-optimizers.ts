/** Every optimiser that a configuration may name, one a line. */
export { adam } from './adam.js';
export { adamw } from './adamw.js';
export { sgd } from './sgd.js';
