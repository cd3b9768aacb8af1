/** Where a training's files lie in its run folder. */

/** Folder of the checkpoints. */
export const checkpointsFolder = 'checkpoints';

/** Epoch log. */
export const historyFile = 'history.jsonl';
