/**
 * The teachers of a training (`distill` of its configuration): which they are, and what they vote on each scan. The configuration
 * gets the checksums of their weights, so that a run folder says whom it learned from and a resume notices other teachers.
 *
 * Votes are the mean of the teachers' probabilities on the prepared grid of the student, computed once and kept in the cache.
 * Where the student prepares scans in another way, they are computed on the teachers' grid and interpolated: both grids cover
 * the scan's box edge to edge.
 */
import { assumptionsOf } from '@quickcolumn/cases';
import { packVotes, type TrainConfig, TrainError } from '@quickcolumn/learn';
import {
  type CachedScan,
  type CaseFiles,
  prepareCached,
  preparedKey,
  type PreparationConfig,
  type PreparedScan,
} from '@quickcolumn/pipeline';
import {
  availableMemory,
  type CompiledModel,
  ensembleOf,
  estimatePrediction,
  isForeignModel,
  type LoadedModel,
  type ModelContents,
  type ModelDevice,
  modelOn,
  predictPrepared,
  refuseIfTooLarge,
  resolveWindow,
} from '@quickcolumn/predict';
import { resizeLinear, voxelCount } from '@quickcolumn/volume';
import type { JobContext } from '../context.js';
import { readModels } from '../predict/load-models.js';
import { formatSeconds } from '../text.js';
import { readVotes, storeVotes, votesKey } from './votes-cache.js';

/** A teacher of an ensemble of folds has seen what another one was tested on, and passes it on. */
export const distillationCaution: string =
  'a distilled model knows of every case that one of its teachers was trained on; only figures on cases that none of them ' +
  'has seen are test figures';

export interface Teachers {
  /** How much labels count beside the votes. */
  readonly hardShare: number;
  /**
   * Packed votes on the grid of the prepared scan, from the cache or computed now.
   * @throws the readers' and the prediction's errors; `interrupted`
   */
  votesOf(files: CaseFiles, scan: CachedScan, shownName: string): Promise<Uint8Array>;
  /** Lets go of what computing votes has allocated. */
  dispose(): Promise<void>;
}

export interface OpenedTeachers {
  /** With the checksums of the weights. */
  readonly config: TrainConfig;
  /** Absent: labels alone are learned. */
  readonly teachers?: Teachers;
}

/**
 * Reads and checks the teachers; none is compiled before votes are missing.
 * @throws ModelError, FileError, InputError; `usage` for teachers that do not fit together; TrainError for other classes than the
 *   student's, or weights that are not those the configuration names
 */
export async function openTeachers(
  config: TrainConfig,
  {
    cacheDir,
    device,
    threads,
  }: { readonly cacheDir: string; readonly device: ModelDevice; readonly threads?: number | undefined },
  context: JobContext,
): Promise<OpenedTeachers> {
  const { distill, preparation } = config;
  if (distill === undefined) return { config };
  const own: ModelContents[] = [];
  for (const one of await readModels(distill.from)) {
    if (isForeignModel(one)) {
      throw new TrainError(
        `${one.name}: a model of another framework cannot be a teacher, because its scans are prepared in another way; ` +
          'use models that quickcolumn has trained',
      );
    }
    own.push(one);
  }
  const model = ensembleOf(
    own.map((one) => modelOn(one, { ...device, ...(threads === undefined ? {} : { threads }) })),
  );
  const weightsSha256 = model.files.map((file) => file.weightsSha256);
  requireSameWeights(distill.from, distill.weightsSha256, weightsSha256);
  const theirs = own[0].metadata.preparation;
  requireSameClasses(theirs, preparation, model.name);
  const { hardShare } = distill;
  context.note(
    `${weightsSha256.length === 1 ? 'one teacher' : `${weightsSha256.length} teachers`} ` +
      `(${weightsSha256.map((sum) => `${sum.slice(0, 12)}…`).join(', ')}); labels count ${hardShare} beside their votes`,
  );
  context.note(`mind: ${distillationCaution}`);
  return {
    config: { ...config, distill: { ...distill, weightsSha256 } },
    teachers: new VotingModel(model, theirs, { config, cacheDir, context }),
  };
}

class VotingModel implements Teachers {
  readonly hardShare: number;
  readonly #model: LoadedModel;
  readonly #preparation: PreparationConfig;
  readonly #config: TrainConfig;
  readonly #cacheDir: string;
  readonly #context: JobContext;
  #compiled: CompiledModel | undefined;

  constructor(
    model: LoadedModel,
    preparation: PreparationConfig,
    {
      config,
      cacheDir,
      context,
    }: { readonly config: TrainConfig; readonly cacheDir: string; readonly context: JobContext },
  ) {
    this.#model = model;
    this.#preparation = preparation;
    this.#config = config;
    this.#cacheDir = cacheDir;
    this.#context = context;
    this.hardShare = config.distill?.hardShare ?? 0;
  }

  async votesOf({ imagePath }: CaseFiles, scan: CachedScan, name: string): Promise<Uint8Array> {
    const { files, runtime } = this.#model;
    const preparation = this.#preparation;
    const { patch, overlap } = resolveWindow(this.#model);
    const image = { name, imagePath };
    const source = await preparedKey(image, preparation, assumptionsOf(this.#config.data));
    const weights = files.map(({ weightsSha256 }) => weightsSha256);
    const key = votesKey([source, scan.size, weights, patch, overlap, runtime]);
    const bytes = preparation.classes.length * voxelCount(scan.size);
    const onDamage = (problem: string): void => this.#context.note(`${name}: votes are made again: ${problem}`);
    const known = await readVotes(this.#cacheDir, key, { bytes, onDamage });
    if (known !== undefined) return known;
    const votes = await this.#vote(image, scan);
    await storeVotes(this.#cacheDir, key, votes);
    return votes;
  }

  async #vote(image: CaseFiles, scan: CachedScan): Promise<Uint8Array> {
    const model = this.#model;
    const { name } = image;
    const { classes } = this.#preparation;
    const prepared = await this.#asTheyPrepare(image, scan);
    const { patch, overlap } = resolveWindow(model);
    this.#compiled ??= await model.compile(patch, model.windowsAtOnce);
    const { batch } = this.#compiled;
    const volume = { voxels: prepared.image, size: prepared.size, affine: prepared.affine };
    refuseIfTooLarge(estimatePrediction(model, volume, { patch, overlap, batch }), availableMemory(), name);
    const start = performance.now();
    const task = this.#context.begin('predict', name);
    let done: string | undefined;
    try {
      const { probabilityOf } = await predictPrepared(this.#compiled, prepared, {
        patch,
        overlap,
        classes: classes.length,
        name,
        signal: this.#context.signal,
        onProgress: (progress) =>
          task.update(`window ${progress.done} of ${progress.total}`, progress.done, progress.total),
      });
      const onTheirGrid = classes.map((_, c) => probabilityOf(c));
      const sameGrid = prepared.size.every((length, axis) => length === scan.size[axis]);
      const shares = sameGrid ? onTheirGrid : onTheirGrid.map((one) => resizeLinear(one, prepared.size, scan.size));
      done = `the teachers voted in ${formatSeconds((performance.now() - start) / 1000)}`;
      return packVotes(shares);
    } finally {
      task.end(done);
    }
  }

  /** The scan as the teachers' training cases were prepared, which the student's usually are, too. */
  async #asTheyPrepare(image: CaseFiles, scan: CachedScan): Promise<PreparedScan> {
    const [theirs, ours] = [this.#preparation, this.#config.preparation].map(({ intensity, clipHu, spacingMm }) =>
      JSON.stringify([intensity, clipHu, spacingMm]),
    );
    if (theirs === ours) return scan;
    const { data } = this.#config;
    const options = { accept: data.accept, assume: assumptionsOf(data) };
    return await prepareCached(this.#cacheDir, image, this.#preparation, options);
  }

  async dispose(): Promise<void> {
    await this.#compiled?.dispose();
    this.#compiled = undefined;
  }
}

/** @throws TrainError where the configuration names other weights than the files hold */
function requireSameWeights(
  from: readonly string[],
  named: readonly string[] | undefined,
  found: readonly string[],
): void {
  if (named === undefined || named.join() === found.join()) return;
  const changed = found.findIndex((sum, teacher) => sum !== named[teacher]);
  const problem =
    named.length === found.length
      ? `the weights of teacher ${changed + 1} are ${found[changed]}, distill.weightsSha256 is ${named[changed]}`
      : `there are ${found.length} teachers, distill.weightsSha256 names ${named.length}`;
  throw new TrainError(
    `${from.join(', ')}: ${problem}; give the models that they were, or leave distill.weightsSha256 out in a new run folder`,
    { paths: [...from] },
  );
}

/** @throws TrainError: votes are counted by class, in the order of the classes */
function requireSameClasses(teachers: PreparationConfig, { classes }: PreparationConfig, name: string): void {
  const [theirs, ours] = [teachers.classes, classes].map((some) =>
    some
      .map((one) => `${one.value} ${one.name}${one.mirror === undefined ? '' : ` (mirror ${one.mirror})`}`)
      .join(', '),
  );
  if (theirs === ours) return;
  throw new TrainError(
    `the teachers ${name} know the classes ${theirs}; preparation.classes are ${ours}; a student has the classes of its ` +
      'teachers, in their order',
    { key: 'preparation.classes' },
  );
}
