/** Every schedule that a configuration may name, one a line. */
export { constant } from './constant.js';
export { cosine } from './cosine.js';
export { plateau } from './plateau.js';
export { polynomial } from './polynomial.js';
export { steps } from './steps.js';
