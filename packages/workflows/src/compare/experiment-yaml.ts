/** An experiment as a complete experiment file: it can be edited and run again. */
import { toYaml } from '../folders/yaml.js';
import { type Experiment, type ExperimentSystem, experimentVersion } from './experiment.js';

const header = ` A complete experiment: quickcolumn compare --experiment FILE --out FOLDER
 Paths are relative to this file.`;

/** YAML text, ending in a newline. */
export function experimentYaml({ title, folds, seed, systems }: Experiment): string {
  const { data, compute } = systems[0].config;
  const files = systems.map((system) => {
    const { split } = system.config.data;
    const isOwn = JSON.stringify(split) !== JSON.stringify(data.split);
    return { id: system.id, title: system.title, ...(isOwn && { data: { split } }), ...systemKeys(system) };
  });
  return toYaml({ version: experimentVersion, title, folds, seed, base: { data, compute }, systems: files }, header);
}

/** What a complete file says of a system beside its id and title, and what no system has of its own. */
export function systemKeys({ config, testTime, weightsOf }: ExperimentSystem): Record<string, unknown> {
  if (weightsOf !== undefined) return { weightsOf, predict: testTime };
  const { version: _version, data: _data, compute: _compute, seed: _seed, predict, ...keys } = config;
  return { ...keys, predict: { ...predict, ...testTime } };
}
