export * from './portable.js';
export { loadModel, readModel } from './model.js';
