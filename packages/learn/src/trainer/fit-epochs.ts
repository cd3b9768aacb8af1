/**
 * A training that ends in time: after every epoch the number of epochs is fitted to what the epochs have taken so far, so that
 * a schedule by the share of all steps has come to its end when the time is over, on a machine that is now busy, now idle.
 *
 * The trap: the numbers of such a training depend on the machine's speed. What was fitted is in the checkpoint, so that a
 * resumed training has the rates of one that went on, but two trainings may differ. Without `train.minutes` nothing is fitted.
 */
import type { EpochRecord } from '../run-folder/history.js';

/** The latest epochs tell how fast the coming ones will be. */
const recentEpochs = 5;
/** Fitted anew when the end would be missed by more than this share of all epochs. */
const tolerance = 0.03;

/**
 * The number of epochs after which the time will be over: `planned` where that is near enough.
 * @param history of all epochs so far, those of earlier sessions too; at least one
 * @param seconds that the epochs of all sessions may take together
 */
export function fitEpochs(history: readonly Pick<EpochRecord, 'seconds'>[], planned: number, seconds: number): number {
  const spent = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const recent = history.slice(-recentEpochs);
  const each = recent.reduce((sum, epoch) => sum + epoch.seconds, 0) / recent.length;
  const fitted = history.length + Math.max(0, Math.round((seconds - spent) / each));
  const isNear = Math.abs(fitted - planned) <= Math.max(0.5, tolerance * planned);
  return isNear && planned >= history.length ? planned : fitted;
}
