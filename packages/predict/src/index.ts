export * from './browser.js';
export {
  type AnyModelContents,
  anyModelOn,
  isForeignModel,
  loadModel,
  readAnyModel,
  readModel,
} from './model/load-model.js';
