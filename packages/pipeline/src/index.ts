export * from './browser.js';
export {
  type CachedScan,
  type CaseFiles,
  prepareCached,
  PreparedCacheError,
  preparedKey,
  type PrepareProgress,
} from './cache.js';
