export * from './browser.js';
export { foreignRuntimeError } from './foreign/foreign-model.js';
export {
  type AnyModelContents,
  anyModelOn,
  isForeignModel,
  loadModel,
  readAnyModel,
  readModel,
} from './model/load-model.js';
