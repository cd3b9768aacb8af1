export * from './browser.js';
export { type CachedScan, type CaseFiles, prepareCached, PreparedCacheError, type PrepareProgress } from './cache.js';
