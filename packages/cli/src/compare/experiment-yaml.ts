/** An experiment as a complete experiment file: it can be edited and run again. */
import { toYaml } from '../yaml.js';
import type { Experiment } from './experiment.js';

const header = ` A complete experiment: quickcolumn compare --experiment FILE --out FOLDER
 Paths are relative to this file.`;

/** YAML text, ending in a newline. */
export function experimentYaml({ title, folds, seed, systems }: Experiment): string {
  const { data, compute } = systems[0].config;
  const files = systems.map(({ id, title: shown, config, testTime, weightsOf }) => {
    if (weightsOf !== undefined) return { id, title: shown, weightsOf, predict: testTime };
    const { data: _data, compute: _compute, seed: _seed, predict, ...keys } = config;
    return { id, title: shown, ...keys, predict: { ...predict, ...testTime } };
  });
  return toYaml({ title, folds, seed, base: { data, compute }, systems: files }, header);
}
