/**
 * Where a training's weights come from: another model (`init.from`) and what of them is frozen. The
 * configuration gets the checksum of the weights, so that a run folder says what it started from and a resume
 * notices another start.
 */
import { join } from 'node:path';
import {
  checkpointsFolder,
  frozenParts,
  hasCheckpoint,
  type NamedTensor,
  type TrainConfig,
  TrainError,
  transferWeights,
} from '@quickcolumn/learn';
import type { ModelMetadata } from '@quickcolumn/pipeline';
import { readModel } from '@quickcolumn/predict';
import { singleModelFile } from '../predict/model-files.js';
import type { JobContext } from '../context.js';

export interface StartingWeights {
  /** With the checksum of the weights. */
  readonly config: TrainConfig;
  readonly frozen: readonly string[];
  /** Absent: drawn from the seed, or in the checkpoint that is resumed. */
  readonly initial?: ReadonlyMap<string, NamedTensor>;
}

/**
 * Reads and checks the model that a training starts from; says what is taken over, new and frozen.
 * @throws ModelError, FileError; TrainError when it does not fit, nothing is frozen by a pattern or the file changed
 */
export async function startingWeights(
  config: TrainConfig,
  { runFolder, resume }: { readonly runFolder: string; readonly resume: boolean },
  context: JobContext,
): Promise<StartingWeights> {
  const { init, network } = config;
  if (init === undefined) return { config, frozen: [] };
  const parts = frozenParts(network, init.freeze ?? []);
  for (const { pattern, names } of parts)
    context.note(`frozen by '${pattern}': ${names.length} variables: ${names.join(', ')}`);
  const frozen = [...new Set(parts.flatMap(({ names }) => names))];
  // A checkpoint holds the weights: the file may be gone by then.
  const started = resume && (await hasCheckpoint(join(runFolder, checkpointsFolder)));
  if (started && init.weightsSha256 !== undefined) return { config, frozen };

  const from = await singleModelFile(init.from);
  const { metadata, weights } = await readModel(from);
  const { weightsSha256 } = metadata;
  if (init.weightsSha256 !== undefined && init.weightsSha256 !== weightsSha256) {
    throw new TrainError(
      `${from}: its weights are ${weightsSha256}, init.weightsSha256 is ${init.weightsSha256}; ` +
        'give the model that it was, or leave init.weightsSha256 out',
      { path: from },
    );
  }
  const { classes } = config.preparation;
  const source = { name: from, network: metadata.network, classes: metadata.preparation.classes, weights };
  const { initial, fresh } = transferWeights({ network, classes }, source);
  context.note(
    `weights from ${from} (${weightsSha256.slice(0, 12)}…): ${initial.size} variables taken over, ` +
      (fresh.length === 0 ? 'none new' : `new: ${fresh.join(', ')}`),
  );
  notePreparation(metadata, config, context);
  return { config: { ...config, init: { ...init, from, weightsSha256 } }, frozen, initial };
}

/** Weights work on other grids and intensities, but not as well; not an error, because it may be meant. */
function notePreparation({ preparation }: ModelMetadata, config: TrainConfig, context: JobContext): void {
  for (const key of ['spacingMm', 'intensity', 'clipHu'] as const) {
    const [there, here] = [preparation[key], config.preparation[key]].map((value) => JSON.stringify(value));
    if (there !== here)
      context.note(`mind: the model was trained with preparation.${key} ${there}, here it is ${here}`);
  }
}
