/** What a process and the stage it started say to each other. */
import type { ErrorJson } from '@quickcolumn/errors';
import type { JobEvent } from '../events.js';
import type { Job } from '../jobs/index.js';

export type ToStage = { readonly kind: 'run'; readonly job: Job } | { readonly kind: 'stop' };

export type FromStage =
  | { readonly kind: 'event'; readonly event: JobEvent }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: ErrorJson };
