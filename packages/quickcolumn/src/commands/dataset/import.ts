/** `quickcolumn dataset import`: a dataset as its publisher ships it → a list of cases and a configuration to train with. */
import { join } from 'node:path';
import { importDataset, writeImported } from '@quickcolumn/datasets';
import { writeFileAtomic } from '@quickcolumn/io';
import { type ProfileName, profileNames } from '@quickcolumn/learn';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { throwIfInterrupted } from '../../terminal/interrupt.js';
import { checkOutputFolder } from '@quickcolumn/workflows';
import { note, print, progressLine } from '../../terminal/terminal.js';

interface ImportFlags {
  readonly out: string;
  readonly copy?: boolean;
  readonly followLinks?: boolean;
  readonly profile: ProfileName;
  readonly force?: boolean;
}

export function datasetImportCommand(): Command {
  return new Command('import')
    .description('make a list of cases and a configuration from a dataset on disk')
    .argument('<source>', 'folder (COVID-19-CT-Seg, MSD, nnU-Net raw) or list of image,label,patient (CSV, JSON)')
    .requiredOption('--out <folder>', 'for cases.csv, config.yaml and what has to be made')
    .option('--copy', 'copy scans and labels too, so that the source can be removed')
    .option('--follow-links', 'copy also what links lead to that leave the dataset')
    .addOption(new Option('--profile <name>', 'profile of the configuration').choices(profileNames).default('paper'))
    .option('--force', 'replace an earlier import')
    .addHelpText(
      'after',
      `
COVID-19-CT-Seg: unzip the four files of Zenodo record 3757476 side by side, each into the folder of its name. Where the
joint masks are missing, label maps are joined from lung and infection masks. Originals are never changed.

Examples:
  quickcolumn dataset import covid19-ct-seg --out covid
  quickcolumn dataset import Task06_Lung --out lung --copy
  quickcolumn dataset import nnUNet_raw/Dataset007_Lesions --out lesions --profile quick
  quickcolumn dataset import cases.csv --out mine`,
    )
    .action(importAction);
}

async function importAction(source: string, flags: ImportFlags): Promise<void> {
  const { out, copy, followLinks, profile, force } = flags;
  await checkOutputFolder(out, force ?? false);
  const dataset = await importDataset(source);
  const line = progressLine('import');
  const { length } = dataset.cases;
  try {
    await writeImported(dataset, out, {
      copy,
      followLinks,
      force,
      onCase: (name, index) => {
        throwIfInterrupted();
        line.update(`${name} (${index + 1} of ${length})`, index / length);
      },
    });
  } finally {
    line.end();
  }
  const { classes } = dataset;
  const config = { profile, data: { list: 'cases.csv' }, ...(classes && { preparation: { classes } }) };
  const comment = `# ${dataset.title}. Run it with: quickcolumn train --config FILE --out RUN`;
  await writeFileAtomic(join(out, 'config.yaml'), `${comment}\n${stringify(config, { aliasDuplicateObjects: false })}`);
  const tests = dataset.cases.filter(({ split }) => split === 'test').length;
  const patients = new Set(dataset.cases.map(({ patient }) => patient)).size;
  note(`${dataset.title}: ${length - tests} cases to train on, ${tests} to test, ${patients} patients`);
  for (const text of dataset.notes) note(text);
  print(join(out, 'config.yaml'));
}
