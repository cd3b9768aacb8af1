/** Which dataset the commands `dataset check` and `dataset stats` are about, from a configuration, a list or folders. */
import {
  consentOf,
  listCases,
  type ListedCase,
  type PatientMap,
  readCaseList,
  type ScanConsent,
} from '@quickcolumn/cases';
import { labelMapIssues, type PreparationConfig } from '@quickcolumn/pipeline';
import { covidClasses, msdClasses } from '@quickcolumn/volume';
import { QuickcolumnError } from '@quickcolumn/errors';
import { type Command, Option } from 'commander';
import { wholeNumber } from './arguments.js';
import { withAssumptionFlags } from './consent-flags.js';
import { configFromFlags } from './data-flags.js';

export interface SourceFlags extends ScanConsent {
  readonly config?: string;
  readonly list?: string;
  readonly images?: string;
  readonly labels?: string;
  readonly classes?: 'covid' | 'msd';
  readonly ignoreLabel?: number;
}

export interface DatasetSource {
  readonly cases: readonly ListedCase[];
  readonly preparation: PreparationConfig;
  /** Of the flags, else of the configuration. */
  readonly consent: ScanConsent;
}

/** Adds the flags of SourceFlags. */
export function withSourceFlags(command: Command): Command {
  return withAssumptionFlags(command)
    .option('--config <config.yaml>', 'dataset, classes and preparation from this file')
    .option('--list <cases.csv>', 'list of image,label,patient (CSV or JSON)')
    .option('--images <folder>', 'scans (NIfTI, NRRD, MetaImage)')
    .option('--labels <folder>', 'label maps of the same names')
    .addOption(
      new Option('--classes <set>', 'label values (default: those of --config, else covid)').choices(['covid', 'msd']),
    )
    .option(
      '--ignore-label <value>',
      'label value of voxels that nobody has annotated (default: that of --config)',
      wholeNumber(1),
    );
}

/** All cases, also those of a list that are only tested on, and held-out ones as tests. @throws what reading throws */
export async function datasetSource(flags: SourceFlags): Promise<DatasetSource> {
  const { config, list, images, labels, classes, ignoreLabel, ...consent } = flags;
  if (config === undefined && list === undefined && images === undefined) {
    throw new QuickcolumnError('usage', 'give a dataset: --config, --list, or --images and --labels');
  }
  const { data, preparation } = await configFromFlags({ config, list, images, labels, ...consentOf(consent) });
  const cases = data.list === null ? await folderCases(data) : await readCaseList(data.list, data);
  const held = new Set(data.holdOut);
  const asked = {
    ...preparation,
    ...(classes !== undefined && { classes: classesOf(classes) }),
    ...(ignoreLabel !== undefined && { ignoreLabel }),
  };
  const taken = asked.classes.find(({ value }) => value === asked.ignoreLabel);
  if (taken !== undefined) {
    throw new QuickcolumnError('usage', `the label to ignore, ${taken.value}, is that of the class '${taken.name}'`);
  }
  const [issue] = labelMapIssues(asked);
  if (issue !== undefined) {
    const where = ['preparation.labels', issue.value].filter((part) => part !== undefined).join('.');
    const message = `--classes and --ignore-label do not fit the configuration: ${where}: ${issue.message}`;
    throw new QuickcolumnError('usage', message);
  }
  return {
    cases: cases.map((entry) => (held.has(entry.name) ? { ...entry, split: 'test' as const } : entry)),
    consent: consentOf(data),
    preparation: asked,
  };
}

async function folderCases(data: {
  readonly images: string;
  readonly labels: string;
  readonly patients: PatientMap;
}): Promise<ListedCase[]> {
  const cases = await listCases(data, data);
  return cases.map((entry): ListedCase => ({ ...entry, split: 'train' }));
}

function classesOf(set: 'covid' | 'msd'): PreparationConfig['classes'] {
  return set === 'msd' ? msdClasses : covidClasses;
}
