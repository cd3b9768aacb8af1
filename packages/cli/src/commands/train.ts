/** `quickcolumn train`: from folders of scans and labels to a run folder with model and report. */
import { join, resolve } from 'node:path';
import { profileNames } from '@quickcolumn/learn';
import { Command, Option } from 'commander';
import { type AnonymousFlags, checkAnonymousFlags, withAnonymousFlags } from '../anonymous.js';
import { foldOf, nameList, positiveNumber, precisionOption, runtimeOption, size3, wholeNumber } from '../arguments.js';
import { defaultCache } from '../preparation.js';
import { checkRunFolder, runFiles } from '../run-folder.js';
import { note, print } from '../terminal.js';
import { type ConfigFlags, trainConfigFrom } from '../train-config.js';
import { runTraining } from '../training-run.js';
import { catalogueEntry } from './networks.js';

interface TrainFlags extends ConfigFlags, AnonymousFlags {
  readonly out: string;
  readonly cache: string;
  readonly threads?: number;
  readonly notes?: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  /** From --no-evaluate. */
  readonly evaluate: boolean;
}

export function trainCommand(): Command {
  const command = new Command('train')
    .description('train a network')
    .requiredOption('--out <folder>', 'run folder: configuration, history, checkpoints, model, report')
    .option('--list <cases.csv>', 'list of image,label,patient (CSV or JSON), instead of --images and --labels')
    .option('--images <folder>', 'scans (NIfTI, NRRD, MetaImage)')
    .option('--labels <folder>', 'label maps of the same names')
    .addOption(new Option('--profile <name>', 'configuration to start from (default: paper)').choices(profileNames))
    .option('--config <config.yaml>', 'configuration file; see the command config')
    .option('--hold-out <names>', 'cases kept out of training and validation, separated by commas', nameList)
    .option('--fold <k/n>', 'validate on the k-th of n folds', foldOf)
    .option('--epochs <n>', 'epochs', wholeNumber(1))
    .option('--steps-per-epoch <n>', 'optimiser steps an epoch', wholeNumber(1))
    .option('--batch <n>', 'patches a step', wholeNumber(1))
    .option('--patch <x,y,z>', 'patch in voxels, multiples of 16; also sets the overlap to half of it', size3)
    .option('--seed <n>', 'seed of everything random', wholeNumber(0))
    .option('--learning-rate <rate>', 'learning rate at the start', positiveNumber)
    .option('--max-minutes <minutes>', 'stop at the first epoch end after this time', positiveNumber)
    .option('--network <name>', 'network, as the command networks lists them; replaces the profile’s', catalogueEntry)
    .option('--init-from <model>', 'start from the weights of a model file or run folder of the same network')
    .option(
      '--freeze <patterns>',
      'with --init-from: parts that are not trained: encoder,stem or decoder0/up',
      nameList,
    )
    .option('--root-filters <n>', 'width of the first level of the network', wholeNumber(1))
    .addOption(runtimeOption())
    .addOption(precisionOption())
    .option('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1))
    .option('--cache <folder>', 'where prepared cases are kept', defaultCache())
    .option('--notes <text>', 'data and licence notes for the model file')
    .option('--no-evaluate', 'leave the metrics of the validation cases out of the report')
    .option('--resume', 'continue the training in --out, with its own configuration')
    .option('--force', 'start anew in a run folder that is in use')
    .addHelpText(
      'after',
      `
Flags override the configuration file, which overrides its profile. An interrupted run goes on with --resume.
--anonymize is about the report and the terminal; config.yaml and checkpoints keep names, because --resume needs them.

Examples:
  quickcolumn train --profile quick --images ct --labels labels --out run --hold-out case_3,case_7
  quickcolumn train --profile quick --list cases.csv --out run
  quickcolumn train --config my.yaml --fold 1/5 --out run-fold1
  quickcolumn train --config my.yaml --init-from msd-run --freeze encoder0,encoder1 --out run-transfer
  quickcolumn train --resume --out run --max-minutes 30`,
    )
    .action(trainAction);
  return withAnonymousFlags(command);
}

async function trainAction(flags: TrainFlags): Promise<void> {
  const { out, cache, threads, notes, evaluate } = flags;
  const { anonymize, anonymizeKey, force = false } = flags;
  await checkAnonymousFlags(flags, force);
  const start = await checkRunFolder(out, flags);
  const resume = start === 'resume';
  const config = await trainConfigFrom(
    resume && flags.config === undefined ? { ...flags, config: join(out, runFiles.config) } : flags,
  );
  await runTraining(config, out, {
    cacheDir: cache,
    resume,
    threads,
    notes,
    evaluateValidation: evaluate,
    anonymous: { anonymize, anonymizeKey },
  });
  note(`report: ${resolve(out, runFiles.report)}`);
  print(join(out, runFiles.model));
}
