/**
 * The flags of commands that train, declared once: those behind ConfigRequest, and what else every training asks for. A
 * command names the ones it has, in the order of its help, with a text of its own where they mean something else there.
 */
import { profileNames } from '@quickcolumn/learn';
import { type Command, Option } from 'commander';
import {
  autotuneOption,
  nameList,
  positiveNumber,
  precisionOption,
  runtimeOption,
  size3,
  wholeNumber,
} from './arguments.js';
import { acceptOption, assumeOrientationOption, assumeUnitsOption } from './consent-flags.js';
import { catalogueEntry } from '../commands/networks.js';
import { type ConfigRequest, defaultCache } from '@quickcolumn/workflows';

const parsed = (flags: string, text: string, parse: (value: string) => unknown): Option =>
  new Option(flags, text).argParser(parse);

type TrainingOption = keyof Omit<ConfigRequest, 'fold'> | 'threads' | 'cache';

const declared: Readonly<Record<TrainingOption, () => Option>> = {
  list: () =>
    new Option('--list <cases.csv>', 'list of image,label,patient (CSV or JSON), instead of --images and --labels'),
  images: () => new Option('--images <folder>', 'scans (NIfTI, NRRD, MetaImage)'),
  labels: () => new Option('--labels <folder>', 'label maps of the same names'),
  profile: () =>
    new Option('--profile <name>', 'configuration to start from (default: auto, which is planned)').choices(
      profileNames,
    ),
  config: () => new Option('--config <config.yaml>', 'configuration file; see the command config'),
  holdOut: () =>
    parsed('--hold-out <names>', 'cases kept out of training and validation, separated by commas', nameList),
  epochs: () => parsed('--epochs <n>', 'epochs of each training', wholeNumber(1)),
  stepsPerEpoch: () => parsed('--steps-per-epoch <n>', 'optimiser steps an epoch', wholeNumber(1)),
  batch: () => parsed('--batch <n>', 'patches a step', wholeNumber(1)),
  patch: () =>
    parsed('--patch <x,y,z>', 'patch in voxels, multiples of 16; also sets the overlap to half of it', size3),
  seed: () => parsed('--seed <n>', 'seed of everything random, folds too', wholeNumber(0)),
  learningRate: () => parsed('--learning-rate <rate>', 'learning rate at the start', positiveNumber),
  minutes: () =>
    parsed(
      '--minutes <minutes>',
      'plan what is not given for a training of this length (default without a profile: 60)',
      positiveNumber,
    ),
  maxMinutes: () =>
    parsed('--max-minutes <minutes>', 'end each training at the first epoch end after this time', positiveNumber),
  network: () =>
    parsed('--network <name>', 'network, as the command networks lists them; replaces the profile’s', catalogueEntry),
  rootFilters: () => parsed('--root-filters <n>', 'width of the first level of the network', wholeNumber(1)),
  initFrom: () =>
    new Option('--init-from <model>', 'start from the weights of a model file or run folder of the same network'),
  freeze: () =>
    parsed(
      '--freeze <patterns>',
      'with --init-from: parts that are not trained: encoder,stem or decoder0/up',
      nameList,
    ),
  accept: acceptOption,
  assumeOrientation: assumeOrientationOption,
  assumeUnits: assumeUnitsOption,
  runtime: runtimeOption,
  precision: precisionOption,
  autotune: autotuneOption,
  threads: () => parsed('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1)),
  cache: () => new Option('--cache <folder>', 'where prepared cases are kept').default(defaultCache()),
};

/** @param texts descriptions in place of the usual ones. */
export function withTrainingOptions(
  command: Command,
  names: readonly TrainingOption[],
  texts: Partial<Record<TrainingOption, string>> = {},
): Command {
  for (const name of names) {
    const option = declared[name]();
    option.description = texts[name] ?? option.description;
    command.addOption(option);
  }
  return command;
}
