/** `quickcolumn distill`: several models, such as the folds of a cross-validation, into one that costs as much as one. */
import { resolve } from 'node:path';
import type { CaseNaming, ConfigRequest } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { withAnonymousFlags } from '../flags/anonymous-flags.js';
import { share } from '../flags/arguments.js';
import { modelPaths } from '../flags/prediction-flags.js';
import { withTrainingOptions } from '../flags/training-flags.js';
import { run } from '../terminal/run.js';
import { note, print } from '../terminal/terminal.js';

interface DistillFlags extends ConfigRequest, CaseNaming {
  readonly model?: string;
  readonly hardShare?: number;
  readonly out: string;
  readonly cache: string;
  readonly threads?: number;
  readonly notes?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly acceptChangedData?: boolean;
  /** From --no-evaluate. */
  readonly evaluate: boolean;
}

export function distillCommand(): Command {
  const command = new Command('distill')
    .description('train one model on the votes of several')
    .option('--model <model>', 'the teachers: folder of a cross-validation, model files or run folders, by commas')
    .requiredOption('--out <folder>', 'run folder: configuration, history, checkpoints, model, report')
    .option('--hard-share <share>', 'how much labels count beside the votes, 0 to 1 (default: 0.25)', share);
  withTrainingOptions(command, ['list', 'images', 'labels', 'profile', 'config', 'holdOut'], {
    list: 'list of image,label,patient (CSV or JSON); rows without a label are learned from the votes alone',
    profile: 'where schedule, loss and augmentation come from (default: the profile of the first teacher)',
    config: 'configuration file; what it leaves out is the first teacher’s',
  });
  withTrainingOptions(command, ['epochs', 'stepsPerEpoch', 'batch', 'patch', 'seed', 'learningRate', 'maxMinutes']);
  withTrainingOptions(command, ['accept', 'assumeOrientation', 'assumeUnits']);
  withTrainingOptions(command, ['network', 'rootFilters', 'initFrom', 'freeze']);
  withTrainingOptions(command, ['runtime', 'precision', 'autotune', 'threads', 'cache'])
    .option('--notes <text>', 'data and licence notes for the model file')
    .option('--no-evaluate', 'leave the metrics of the validation cases out of the report')
    .option('--resume', 'continue the training in --out, with its own configuration; without one, begin')
    .option('--accept-changed-data', 'with --resume: go on although scans or labels have changed')
    .option('--force', 'start anew in a run folder that is in use')
    .addHelpText(
      'after',
      `
The student has the network, the preparation and the patch of the first teacher, unless flags or --config say otherwise. The
teachers vote once on each scan; votes are kept in the cache. A distilled model knows of every case that a teacher was trained
on: measure it on cases that none of them has seen.

Examples:
  quickcolumn cross-validate --profile quick --list cases.csv --out cv
  quickcolumn distill --model cv --list cases.csv --out run
  quickcolumn distill --model cv --list cases-and-scans.csv --root-filters 8 --epochs 20 --out small
  quickcolumn distill --resume --out run`,
    )
    .action(distill);
  return withAnonymousFlags(command);
}

async function distill(flags: DistillFlags): Promise<void> {
  const { model, hardShare, out, cache, threads, notes, evaluate, resume, force, acceptChangedData, ...rest } = flags;
  const { anonymize, anonymizeKey, ...request } = rest;
  const made = await run(
    {
      kind: 'distill',
      model: model === undefined ? undefined : modelPaths(model),
      request,
      hardShare,
      out,
      resume,
      force,
      acceptChangedData,
      threads,
      notes,
      evaluateValidation: evaluate,
      cacheDir: cache,
      anonymize,
      anonymizeKey,
    },
    'the same command with --resume',
  );
  note(`report: ${resolve(made.report)}`);
  print(made.model);
}
