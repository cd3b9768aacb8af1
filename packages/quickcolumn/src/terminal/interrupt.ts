/**
 * Ctrl-C, SIGTERM and SIGHUP (a terminal that is closed). The first one lets the job stop at the next safe point (a window,
 * a step, a case), so that it can keep what is done and remove what is unfinished. A second Ctrl-C ends the process at
 * once; of a closed terminal or a session that ends, several signals come by themselves.
 */
import { exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import { note } from './terminal.js';

const controller = new AbortController();

/** Aborted by the first interrupt. */
export const interruptSignal: AbortSignal = controller.signal;

export function listenForInterrupts(): void {
  const stop = (signal: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      if (signal === 'SIGINT') process.exit(exitCodes.interrupted);
      return;
    }
    // Behind what the terminal shows for Ctrl-C.
    note('');
    note('stopping at the next safe point; press Ctrl-C again to end at once');
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}

/** @throws QuickcolumnError `interrupted` after the first interrupt. */
export function throwIfInterrupted(): void {
  if (interruptSignal.aborted) throw new QuickcolumnError('interrupted', 'interrupted');
}
