/** `quickcolumn plan`: a training configuration from the data, the machine and the minutes, each value with its reason. */
import { type ConfigRequest, planYaml } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { positiveNumber } from '../flags/arguments.js';
import { checkedRequest } from '../flags/data-flags.js';
import { withTrainingOptions } from '../flags/training-flags.js';
import { run } from '../terminal/run.js';
import { note, print } from '../terminal/terminal.js';

interface PlanFlags extends ConfigRequest {
  readonly minutes: number;
  readonly threads?: number;
  readonly out?: string;
  readonly force?: boolean;
}

export function planCommand(): Command {
  const command = new Command('plan')
    .description('plan a training for data, machine and time, and say why')
    .option('--minutes <minutes>', 'how long the training may take, from reading to report', positiveNumber, 60)
    .option('--out <config.yaml>', 'write the configuration here instead of printing it')
    .option('--force', 'replace that file');
  withTrainingOptions(command, ['list', 'images', 'labels', 'config', 'holdOut'], {
    config: 'configuration file whose values are kept, such as preparation.classes',
  });
  withTrainingOptions(command, ['patch', 'batch', 'rootFilters', 'network', 'seed', 'learningRate']);
  withTrainingOptions(command, ['accept', 'assumeOrientation', 'assumeUnits']);
  return withTrainingOptions(command, ['runtime', 'precision', 'threads'])
    .addHelpText(
      'after',
      `
Scans and labels are read, a few steps of the training are timed. What flags and --config say is kept; everything else is
planned, and the file that is written says why above each value. "quickcolumn train --minutes N" plans and trains at once.

Examples:
  quickcolumn plan --list cases.csv --minutes 60 --out plan.yaml
  quickcolumn plan --images ct --labels labels --config classes.yaml --minutes 30`,
    )
    .action(plan);
}

async function plan({ minutes, threads, out, force, ...flags }: PlanFlags): Promise<void> {
  const planned = await run({ kind: 'plan', request: checkedRequest(flags), minutes, threads, out, force });
  if (out === undefined) return print(planYaml(planned).trimEnd().split('\n'));
  for (const { key, value, why } of planned.values) print([`${key}: ${value}`, `    ${why}`]);
  note(`written to ${out}; train with: quickcolumn train --config ${out} --out RUN`);
}
