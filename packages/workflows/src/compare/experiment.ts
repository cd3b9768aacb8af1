/**
 * The experiment file of `compare`: systems that are trained on the same folds of the same cases.
 *
 * A system's configuration is its profile, over it the keys of `base`, over those its own keys; each is checked by
 * `parseTrainConfig`. A system may begin with a configuration file (`config`), such as one that was planned. What all systems
 * must share (cases, seed, runtime) can stand in `base` alone, and no system may change the classes; how many of the
 * training cases validate is a system's own affair (`data.split`). The trap: a key of `base` also replaces what a system's own
 * profile says.
 */
import { dirname, resolve } from 'node:path';
import {
  completed,
  ConfigError,
  configVersion,
  describeIssues,
  migrateTrainConfig,
  parseTrainConfig,
  type TrainConfig,
} from '@quickcolumn/learn';
import { z } from 'zod';
import { readYaml } from '../folders/yaml.js';
import type { DataOverride } from '../jobs/parts.js';
import { type TestTimeOptions, testTimeShape } from '../jobs/predict.js';
import { windowOptions } from '../predict/options.js';

export interface ExperimentSystem {
  readonly id: string;
  readonly title: string;
  /** Complete; its hold-out and split are those of the whole experiment, not of a fold. */
  readonly config: TrainConfig;
  readonly testTime: TestTimeOptions;
  /** The system whose models are used; absent where this one trains its own. */
  readonly weightsOf?: string;
  /** Its keys as they stand in the file, where these are to count (see earlier-results.ts). */
  readonly written?: Readonly<Record<string, unknown>>;
}

export interface Experiment {
  readonly title: string;
  readonly folds: number;
  readonly seed: number;
  readonly systems: readonly ExperimentSystem[];
}

export interface ExperimentOptions {
  readonly data?: DataOverride;
  readonly compute?: Partial<TrainConfig['compute']>;
  /** Keeps the keys of a complete file as they stand in it; see earlier-results.ts. */
  readonly asWritten?: boolean;
}

/**
 * Of the training configurations in the file, which are brought to the current version when read. Files that people write may
 * leave it out; complete ones of earlier versions did.
 */
export const experimentVersion: typeof configVersion = configVersion;

const testTimeSchema = z.strictObject(testTimeShape);
/** The keys that a system with weights of its own has beside those of its training configuration. */
const testTimeKeys: ReadonlySet<string> = new Set(['gaussian', 'mirror', 'postProcessing']);

const group = z.record(z.string(), z.unknown());
const id = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'expected letters, digits, dots and dashes: it names a folder');
const title = z.string().min(1);
const splitAlone = z.strictObject({ split: group });
const own = { profile: z.string(), preparation: group, augmentation: group, network: group, train: group, init: group };
const system = z.strictObject({
  id,
  title: title.optional(),
  weightsOf: id.optional(),
  ...z.object({ ...own, data: splitAlone, loss: group, optimizer: group, predict: group }).partial().shape,
});
const fileSchema = z.strictObject({
  version: z.int().optional(),
  title,
  folds: z.int().min(2),
  seed: z.int().min(0).max(0xffff_ffff),
  base: z
    .strictObject({ ...own, loss: group, optimizer: group, predict: group, data: group, compute: group })
    .partial(),
  systems: z.array(system).min(1),
});
type SystemFile = z.infer<typeof system>;
type Base = z.infer<typeof fileSchema>['base'];

const example = {
  title: '',
  folds: 3,
  seed: 1,
  base: { profile: '', data: {}, preparation: {}, augmentation: {}, network: {}, train: {}, loss: {}, optimizer: {} },
  systems: [],
};

/** Reads and checks an experiment file. @throws ConfigError, one line a problem; the readers' errors */
export async function readExperiment(path: string, options: ExperimentOptions = {}): Promise<Experiment> {
  return parseExperiment(await withConfigFiles(await readYaml(path), path), path, options);
}

/**
 * The keys of the files that systems name as their `config`, under their own keys. Cases, seed and runtime of such a file
 * are left out: they are those of the experiment.
 */
async function withConfigFiles(object: unknown, source: string): Promise<unknown> {
  if (!isGroup(object) || !Array.isArray(object['systems'])) return object;
  const systems: unknown[] = [];
  for (const entry of object['systems'] as unknown[]) {
    const name = isGroup(entry) ? entry['config'] : undefined;
    if (!isGroup(entry) || typeof name !== 'string') {
      systems.push(entry);
      continue;
    }
    const { config: _config, ...keys } = entry;
    const path = resolve(dirname(source), name);
    const {
      version: _version,
      seed: _seed,
      compute: _compute,
      data,
      ...config
    } = parseTrainConfig(await readYaml(path), path);
    systems.push(completed({ ...config, data: { split: data.split } }, keys));
  }
  return { ...object, systems };
}

/** Paths in `object` are relative to the folder of `source`. @throws ConfigError */
export function parseExperiment(object: unknown, source: string, options: ExperimentOptions = {}): Experiment {
  // What a newer version wrote is called that, not full of unknown keys.
  if (isGroup(object)) migrateTrainConfig({ version: object['version'] ?? 1 }, source);
  const parsed = fileSchema.safeParse(object);
  if (!parsed.success) throw new ConfigError(source, describeIssues(parsed.error, object, example));
  const { version, title: name, folds, seed, base, systems: files } = parsed.data;
  const systems: ExperimentSystem[] = [];
  files.forEach((file, index) => {
    const fail: Fail = (key, message) => {
      throw new ConfigError(source, [{ path: `systems[${index}].${key}`, message: `${file.id}: ${message}` }]);
    };
    if (systems.some((other) => other.id === file.id)) fail('id', 'another system has this id; use a new one');
    const made =
      file.weightsOf === undefined
        ? trainedSystem(file, base, { version, seed }, source, options)
        : borrowingSystem(file, file.weightsOf, systems, source, fail);
    checkClasses(made, systems[0] ?? made, fail);
    const { id: _id, title: _title, ...written } = file;
    systems.push(options.asWritten ? { ...made, written } : made);
  });
  return { title: name, folds, seed, systems };
}

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Fail = (key: string, message: string) => never;

function trainedSystem(
  { id: name, title: shown = name, ...keys }: SystemFile,
  base: Base,
  shared: { readonly version: number | undefined; readonly seed: number },
  source: string,
  options: ExperimentOptions,
): ExperimentSystem {
  const merged = completed(base, keys) as Base;
  const { predict, data = {}, compute = {} } = merged;
  const [testTime, windows] = divided(predict ?? {});
  const config = parseTrainConfig(
    {
      ...merged,
      ...shared,
      profile: merged.profile ?? 'paper',
      data: { ...data, ...options.data },
      compute: { ...compute, ...options.compute },
      ...(predict && { predict: windows }),
    },
    `${source}: ${name}`,
  );
  const folder = dirname(source);
  const { list, images, labels } = config.data;
  const absolute = {
    ...config.data,
    list: list === null ? null : resolve(folder, list),
    images: resolve(folder, images),
    labels: resolve(folder, labels),
  };
  const { init } = config;
  return {
    id: name,
    title: shown,
    config: { ...config, data: absolute, ...(init && { init: { ...init, from: resolve(folder, init.from) } }) },
    testTime: parseTestTime(testTime, `${source}: ${name}`),
  };
}

/** A system that predicts with the models of another one. */
function borrowingSystem(
  { id: name, title: shown = name, predict, weightsOf: _weightsOf, ...rest }: SystemFile,
  weightsOf: string,
  systems: readonly ExperimentSystem[],
  source: string,
  fail: Fail,
): ExperimentSystem {
  const lender = systems.find((other) => other.id === weightsOf);
  if (lender === undefined) {
    const known = systems.map((other) => other.id).join(', ');
    return fail('weightsOf', `no system '${weightsOf}' stands before it; there are: ${known || 'none'}`);
  }
  if (lender.weightsOf !== undefined) {
    fail('weightsOf', `${weightsOf} has no weights of its own; name ${lender.weightsOf}`);
  }
  const [extra] = Object.keys(rest);
  if (extra !== undefined) fail(extra, `trains nothing, as it has weightsOf; remove ${extra}, only predict can differ`);
  const testTime = parseTestTime({ ...lender.testTime, ...predict }, `${source}: ${name}`);
  return { id: name, title: shown, config: lender.config, testTime, weightsOf };
}

/** The options of the prediction alone, and those of the training configuration. */
function divided(predict: Record<string, unknown>): [Record<string, unknown>, Record<string, unknown>] {
  const part = (isTestTime: boolean): Record<string, unknown> =>
    Object.fromEntries(Object.entries(predict).filter(([key]) => testTimeKeys.has(key) === isTestTime));
  return [part(true), part(false)];
}

function parseTestTime(object: unknown, source: string): TestTimeOptions {
  const parsed = testTimeSchema.safeParse(object);
  if (parsed.success) return parsed.data;
  const issues = describeIssues(parsed.error, object, { overlap: [], gaussian: false, mirror: [], postProcessing: {} });
  throw new ConfigError(
    source,
    issues.map(({ path, message }) => ({ path: `predict.${path}`, message })),
  );
}

function checkClasses({ testTime, config }: ExperimentSystem, first: ExperimentSystem, fail: Fail): void {
  for (const key of ['classes', 'ignoreLabel', 'labels'] as const) {
    if (JSON.stringify(first.config.preparation[key]) === JSON.stringify(config.preparation[key])) continue;
    fail(`preparation.${key}`, `differs from ${first.id}; systems with other classes cannot be compared`);
  }
  try {
    windowOptions(testTime, config.preparation.classes);
  } catch (error) {
    fail('predict.postProcessing', error instanceof Error ? error.message : String(error));
  }
}
