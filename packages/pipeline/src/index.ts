export * from './portable.js';
export {
  type CachedScan,
  type CaseFiles,
  openPrepared,
  prepareCached,
  PreparedCacheError,
  preparedKey,
  type PrepareProgress,
} from './cache.js';
