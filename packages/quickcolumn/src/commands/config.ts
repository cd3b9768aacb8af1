/** `quickcolumn config`: prints a profile, or checks a configuration file and prints it completed. */
import { parseTrainConfig, type ProfileName, profileNames, profiles } from '@quickcolumn/learn';
import { Command, Option } from 'commander';
import { print } from '../terminal/terminal.js';
import { readYaml, toYaml } from '@quickcolumn/workflows';

export function configCommand(): Command {
  return new Command('config')
    .description('print a training profile as YAML, to copy and edit')
    .addOption(new Option('--profile <name>', 'which profile').choices(profileNames).default('paper'))
    .option('--file <config.yaml>', 'check this file and print it completed from its profile')
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn config --profile quick > my.yaml
  quickcolumn config --file my.yaml`,
    )
    .action(async (options: { profile: ProfileName; file?: string }) => {
      const { profile, file } = options;
      const config = file === undefined ? profiles[profile] : parseTrainConfig(await readYaml(file), file);
      print(toYaml(config).trimEnd().split('\n'));
    });
}
