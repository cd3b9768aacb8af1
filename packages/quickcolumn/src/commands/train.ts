/** `quickcolumn train`: from folders of scans and labels to a run folder with model and report. */
import { join, resolve } from 'node:path';
import {
  type CaseNaming,
  checkRunFolder,
  type ConfigRequest,
  defaultCache,
  runFiles,
  withLock,
} from '@quickcolumn/workflows';
import { Command, Option } from 'commander';
import { withAnonymousFlags } from '../flags/anonymous-flags.js';
import { foldOf, wholeNumber } from '../flags/arguments.js';
import { configFromFlags, configToTrain } from '../flags/data-flags.js';
import { run } from '../terminal/run.js';
import { note, print, quoted } from '../terminal/terminal.js';
import { withTrainingOptions } from '../flags/training-flags.js';

interface TrainFlags extends ConfigRequest, CaseNaming {
  readonly out: string;
  readonly cache: string;
  readonly threads?: number;
  readonly notes?: string;
  readonly resume?: boolean;
  readonly extend?: number;
  readonly force?: boolean;
  readonly acceptChangedData?: boolean;
  /** From --no-evaluate. */
  readonly evaluate: boolean;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a network')
    .requiredOption('--out <folder>', 'run folder: configuration, history, checkpoints, model, report');
  withTrainingOptions(command, ['list', 'images', 'labels', 'profile', 'config', 'holdOut']).option(
    '--fold <k/n>',
    'validate on the k-th of n folds',
    foldOf,
  );
  withTrainingOptions(command, [
    'epochs',
    'stepsPerEpoch',
    'batch',
    'patch',
    'seed',
    'learningRate',
    'minutes',
    'maxMinutes',
  ]);
  withTrainingOptions(command, ['accept', 'assumeOrientation', 'assumeUnits']);
  withTrainingOptions(command, ['network', 'rootFilters', 'initFrom', 'freeze']);
  withTrainingOptions(command, ['runtime', 'precision', 'autotune', 'threads', 'cache'])
    .option('--notes <text>', 'data and licence notes for the model file')
    .option('--no-evaluate', 'leave the metrics of the validation cases out of the report')
    .option('--resume', 'continue the training in --out, with its own configuration')
    .addOption(
      new Option('--extend <epochs>', 'with --resume: train this many epochs more than were planned')
        .argParser(wholeNumber(1))
        .conflicts('epochs'),
    )
    .option('--accept-changed-data', 'with --resume: go on although scans or labels have changed')
    .option('--force', 'start anew in a run folder that is in use')
    .addHelpText(
      'after',
      `
Flags override the configuration file, which overrides its profile. An interrupted run goes on with --resume.
--extend also goes on with a run that is finished or stopped early. Rates that depend on the number of epochs (steps, polynomial, cosine) are
stretched over the new one: they go on as in a training of that many epochs. The run folder says the new number; --resume keeps to it.
--anonymize is about the report and the terminal; config.yaml and checkpoints keep names, because --resume needs them.

Examples:
  quickcolumn train --list cases.csv --out run --minutes 60
  quickcolumn train --profile quick --images ct --labels labels --out run --hold-out case_3,case_7
  quickcolumn train --profile quick --list cases.csv --out run
  quickcolumn train --config my.yaml --fold 1/5 --out run-fold1
  quickcolumn train --config my.yaml --init-from msd-run --freeze encoder0,encoder1 --out run-transfer
  quickcolumn train --resume --out run --max-minutes 30
  quickcolumn train --resume --out run --extend 50`,
    )
    .action(trainAction);
  return withAnonymousFlags(command);
}

async function trainAction(flags: TrainFlags): Promise<void> {
  const { out, cache, threads, notes, evaluate, resume, extend, force, acceptChangedData, anonymize, anonymizeKey } =
    flags;
  const found = await withLock({ place: out, doing: 'train' }, () => checkRunFolder(out, flags));
  const goesOn = found === 'resume';
  // A training that goes on was planned when it began.
  const config = goesOn
    ? await configFromFlags({ ...flags, config: flags.config ?? join(out, runFiles.config) })
    : await configToTrain(flags);
  const { model, report } = await run(
    {
      kind: 'train',
      config,
      out,
      resume,
      extend,
      force,
      acceptChangedData,
      threads,
      notes,
      evaluateValidation: evaluate,
      cacheDir: cache,
      anonymize,
      anonymizeKey,
    },
    resumeCommand(flags),
  );
  note(`report: ${resolve(report)}`);
  print(model);
}

/** What continues this run as it was begun; everything else stands in the run folder's config.yaml. */
function resumeCommand({ out, cache, threads, notes, evaluate, anonymize, anonymizeKey }: TrainFlags): string {
  return [
    'quickcolumn train --resume --out',
    quoted(out),
    ...(cache === defaultCache() ? [] : ['--cache', quoted(cache)]),
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
    ...(notes === undefined ? [] : ['--notes', quoted(notes)]),
    ...(evaluate ? [] : ['--no-evaluate']),
    ...(anonymize ? ['--anonymize'] : []),
    ...(anonymizeKey === undefined ? [] : ['--anonymize-key', quoted(anonymizeKey)]),
  ].join(' ');
}
