/** Where prepared cases and measured kernels are kept, unless a job says otherwise. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';

/** $QUICKCOLUMN_CACHE, else quickcolumn/ in the user's cache folder. */
export function defaultCache(): string {
  const { QUICKCOLUMN_CACHE, XDG_CACHE_HOME } = env;
  return QUICKCOLUMN_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'quickcolumn');
}
