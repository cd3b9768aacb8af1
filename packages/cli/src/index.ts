export { createProgram } from './program.js';
export { exitCodeFor } from './errors.js';
export { type ConfigFlags, trainConfigFrom } from './train-config.js';
export { toYaml } from './yaml.js';
