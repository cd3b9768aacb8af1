/**
 * Ctrl-C and SIGTERM. The first one lets the job stop at the next safe point (a window, a step, a case), so that it can
 * remove what is unfinished; the second one ends the process at once.
 */
import { exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import { note } from './terminal.js';

const controller = new AbortController();

/** Aborted by the first interrupt. */
export const interruptSignal: AbortSignal = controller.signal;

export function listenForInterrupts(): void {
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    // Behind what the terminal shows for Ctrl-C.
    note('');
    note('stopping at the next safe point; press Ctrl-C again to end at once');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** @throws QuickcolumnError `interrupted` after the first interrupt. */
export function throwIfInterrupted(): void {
  if (interruptSignal.aborted) throw new QuickcolumnError('interrupted', 'interrupted');
}
