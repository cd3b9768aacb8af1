/**
 * Reads a training configuration: what a file leaves out is taken from its profile, what is wrong is said key by key.
 */
import { catalogue, networkSchema, patchMultipleOf } from '@quickcolumn/networks';
import { preparationSchema } from '@quickcolumn/pipeline';
import { listedClassWeights } from './class-weights.js';
import { ConfigError, describeIssues } from './config-error.js';
import { migrateTrainConfig } from './migrate-config.js';
import { profiles } from './profiles.js';
import { configSchema, profileNames, type TrainConfig } from './train-config.js';

/**
 * Checks a configuration of this or any older version and completes it from its profile.
 *
 * @param object what a YAML or JSON file holds; `profile` is required, everything else may be left out.
 * @param sourceName what messages call it, e.g. `config.yaml`.
 * @throws ConfigError (code `config`) with one line per problem.
 */
export function parseTrainConfig(object: unknown, sourceName: string): TrainConfig {
  if (!isGroup(object)) {
    throw new ConfigError(sourceName, [{ path: '', message: 'expected a group of keys, starting with profile' }]);
  }
  const given = migrateTrainConfig(object, sourceName);
  const name = profileNames.find((known) => known === given['profile']);
  const template = name === undefined ? undefined : profiles[name];
  const complete =
    template === undefined
      ? { profile: given['profile'] }
      : withListedWeights(completed(withNetwork(template, given), given), sourceName);
  const parsed = configSchema(multipleOf(complete)).safeParse(complete);
  if (parsed.success) return parsed.data;
  const issues = describeIssues(parsed.error, complete, template ?? profiles.paper);
  // Without a known profile nothing can be completed, and every other key would be reported as missing.
  throw new ConfigError(
    sourceName,
    template === undefined ? issues.filter((issue) => issue.path === 'profile') : issues,
  );
}

/** What the patch must be a multiple of; while the network itself is wrong, nothing is said of the patch. */
function multipleOf(complete: unknown): number {
  const network = networkSchema.safeParse(isGroup(complete) ? complete['network'] : undefined);
  return network.success ? patchMultipleOf(network.data) : 1;
}

/** @throws ConfigError for weights of classes that are not there */
function withListedWeights(complete: unknown, sourceName: string): unknown {
  if (!isGroup(complete) || !isGroup(complete['loss'])) return complete;
  const { loss, preparation } = complete;
  const classes = isGroup(preparation) ? preparationSchema.safeParse(preparation).data?.classes : undefined;
  // Without sound classes there are no names to go by; what is wrong with them is said later.
  if (classes === undefined || !isGroup(loss['classWeights'])) return complete;
  const { weights, issues } = listedClassWeights(loss['classWeights'], classes);
  if (issues.length > 0) throw new ConfigError(sourceName, issues);
  return { ...complete, loss: { ...loss, classWeights: weights } };
}

/** The template with the published options of the network that is asked for, where it is another one. */
function withNetwork(template: TrainConfig, { network }: Record<string, unknown>): TrainConfig {
  const name = isGroup(network) ? network['name'] : undefined;
  const entry = catalogue.find(({ id }) => id === name);
  return entry === undefined || name === template.network.name ? template : { ...template, network: entry.config };
}

/** `given` over `defaults`: groups merge key by key, unless their `name`/`kind` tells that they are another variant. */
export function completed(defaults: unknown, given: unknown): unknown {
  if (!isGroup(defaults) || !isGroup(given)) return given;
  for (const tag of ['name', 'kind']) {
    if (tag in defaults && given[tag] !== undefined && given[tag] !== defaults[tag]) return given;
  }
  const changes = Object.entries(given).map(([key, value]): [string, unknown] => [
    key,
    Object.hasOwn(defaults, key) ? completed(defaults[key], value) : value,
  ]);
  // Not by assignment: a key `__proto__` must stay a key, to be reported as unknown.
  return Object.fromEntries([...Object.entries(defaults), ...changes]);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
