export * from './browser.js';
export { loadModel, readModel } from './model/load-model.js';
