export * from './browser.js';
export {
  type CachedScan,
  type CaseFiles,
  prepareCached,
  type PrepareCachedOptions,
  PreparedCacheError,
  preparedKey,
  type PrepareProgress,
} from './cache.js';
