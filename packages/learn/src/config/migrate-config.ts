/** Older training configurations as current ones. Version 1 is that of files without `version`. */
import { type LabelClass, withRoles } from '@quickcolumn/volume';
import { migrate, type MigrationStep, type PlainRecord } from '../migrate.js';
import { ConfigError } from './config-error.js';

/** Written into every configuration. Raise it with a step below when a key changes its name, form or meaning. */
export const configVersion = 2;

/** Version 2 says its version and the roles of its classes; in version 1 the names were all there was to go by. */
const sayRoles: MigrationStep = (config) => {
  const { preparation } = config;
  if (!isRecord(preparation) || !isClassList(preparation['classes'])) return config;
  return { ...config, preparation: { ...preparation, classes: withRoles(preparation['classes']) } };
};

const steps: readonly [MigrationStep] = [sayRoles];

/**
 * A configuration of any version, complete or not, in the current version. Nothing else is checked.
 * @throws ConfigError for a version that is none, or that a newer quickcolumn wrote
 */
export function migrateTrainConfig(config: PlainRecord, sourceName: string): PlainRecord {
  return migrate(config, steps, (message) => new ConfigError(sourceName, [{ path: 'version', message }]));
}

const isRecord = (value: unknown): value is PlainRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** As far as `withRoles` looks at it; whether it is a list of classes in every key is checked later. */
const isClassList = (value: unknown): value is readonly LabelClass[] =>
  Array.isArray(value) && value.every((one) => isRecord(one) && typeof one['name'] === 'string');
