/** Whether a training is to be planned, or runs with the configuration that it was given. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { readYaml } from '../folders/yaml.js';
import type { ConfigRequest } from '../train/train-config.js';

/** Of a training of which nobody says how long it may take. */
const usualMinutes = 60;

/**
 * The minutes to plan for; undefined where a profile or a complete configuration says everything. Without a profile, or with
 * profile `auto` and no file, the training is planned; a file of profile `auto` has been planned already.
 * @throws ConfigError; QuickcolumnError `usage` for minutes beside a profile that is not planned
 */
export async function minutesToPlan(request: ConfigRequest): Promise<number | undefined> {
  const { minutes } = request;
  const profile = request.profile ?? (request.config === undefined ? undefined : await profileIn(request.config));
  if (minutes === undefined) {
    const isOpen = profile === undefined || (profile === 'auto' && request.config === undefined);
    return isOpen ? usualMinutes : undefined;
  }
  if (profile === undefined || profile === 'auto') return minutes;
  throw new QuickcolumnError(
    'usage',
    `minutes are for trainings that are planned (profile auto); profile ${JSON.stringify(profile)} says itself how long it trains`,
    { options: { maxMinutes: 'end it earlier', 'profile auto': 'plan it' } },
  );
}

async function profileIn(config: string): Promise<unknown> {
  const file = await readYaml(config);
  return typeof file === 'object' && file !== null && 'profile' in file ? file.profile : undefined;
}
