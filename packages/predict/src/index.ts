export * from './portable.js';
export { loadModel } from './model.js';
