/** `quickcolumn dataset`: brings datasets into a list that `train` takes, checks them and measures them. */
import { Command } from 'commander';
import { datasetCheckCommand } from './check.js';
import { datasetImportCommand } from './import.js';
import { datasetStatsCommand } from './stats.js';

export function datasetCommand(): Command {
  const command = new Command('dataset').description('import, check and measure datasets').addHelpText(
    'after',
    `
Examples:
  quickcolumn dataset import Task06_Lung --out lung
  quickcolumn dataset check --config lung/config.yaml --out lung/check
  quickcolumn dataset stats --config lung/config.yaml --out lung/stats
  quickcolumn train --config lung/config.yaml --out run`,
  );
  return command.addCommand(datasetImportCommand()).addCommand(datasetCheckCommand()).addCommand(datasetStatsCommand());
}
