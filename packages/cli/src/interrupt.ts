/**
 * Ctrl-C and SIGTERM. The first one lets the command stop at the next safe point (a window, a step, a case), so that
 * it can remove what is unfinished; the second one ends the process at once.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { exitCodes } from '@quickcolumn/errors';
import { note } from './terminal.js';

const controller = new AbortController();

/** Aborted by the first interrupt. */
export const interruptSignal: AbortSignal = controller.signal;

export function listenForInterrupts(): void {
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    note('\nstopping at the next safe point; press Ctrl-C again to end at once');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** @throws QuickcolumnError `interrupted` after the first interrupt. */
export function throwIfInterrupted(): void {
  if (interruptSignal.aborted) throw new QuickcolumnError('interrupted', 'interrupted');
}

/**
 * For a process that another one of ours has started: it stops when its parent says `stop` and ends at once when the
 * parent is gone. Ctrl-C reaches both; here it is left to the parent, so that it counts once.
 */
export function obeyParent(): void {
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', () => undefined);
  process.on('message', (message) => {
    if (message === stopMessage) controller.abort();
  });
  process.on('disconnect', () => process.exit(exitCodes.interrupted));
}

/** What a parent sends to a child process to let it stop at the next safe point. */
export const stopMessage = 'stop';
