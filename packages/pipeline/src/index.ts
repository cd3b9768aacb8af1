export * from './browser.js';
export {
  type CachedScan,
  type CaseFiles,
  prepareCached,
  type PrepareCachedOptions,
  PreparedCacheError,
  type PrepareProgress,
} from './cache.js';
