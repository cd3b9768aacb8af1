/** Older training configurations as current ones. Version 1 is that of files without `version`. */
import { migrate, type MigrationStep, type PlainRecord } from '../migrate.js';
import { ConfigError } from './config-error.js';

/** Written into every configuration. Raise it with a step below when a key changes its name, form or meaning. */
export const configVersion = 2;

/** Version 2 says its version; everything in version 1 has kept its meaning. */
const sayVersion: MigrationStep = (config) => config;

const steps: readonly [MigrationStep] = [sayVersion];

/**
 * A configuration of any version, complete or not, in the current version. Nothing else is checked.
 * @throws ConfigError for a version that is none, or that a newer quickcolumn wrote
 */
export function migrateTrainConfig(config: PlainRecord, sourceName: string): PlainRecord {
  return migrate(config, steps, (message) => new ConfigError(sourceName, [{ path: 'version', message }]));
}
