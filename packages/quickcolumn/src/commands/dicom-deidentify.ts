/** `quickcolumn dicom deidentify`: DICOM files without whom they show. */
import {
  type DateHandling,
  dateHandlings,
  keptInformation,
  type KeptInformation,
  type RefusalKind,
  refusalKinds,
} from '@quickcolumn/dicom';
import { Command, Option } from 'commander';
import { choiceList } from '../flags/arguments.js';
import { run } from '../terminal/run.js';
import { note, print, table } from '../terminal/terminal.js';

interface DeidentifyFlags {
  readonly out: string;
  readonly key?: string;
  readonly dates?: DateHandling;
  readonly keep?: readonly KeptInformation[];
  readonly accept?: readonly RefusalKind[];
  readonly force?: boolean;
}

export function deidentifyCommand(): Command {
  return new Command('deidentify')
    .description('write DICOM files without whom they show (PS3.15, basic profile), pixels as they are')
    .argument('<path...>', 'folders, zip archives, files: CT images, segmentations, RT structure sets')
    .requiredOption('--out <folder>', 'folder for the files, one folder a series')
    .option('--key <file>', 'key of the new identifiers, made if it is not there: the same key, the same identifiers')
    .addOption(
      new Option(
        '--dates <what>',
        'remove dates, shift them by days that are the same for all of a patient, or keep them',
      )
        .choices(dateHandlings)
        .default('remove'),
    )
    .option(
      '--keep <list>',
      'what stays beyond the basic profile: uids, device, institution, patient (sex, age, size, weight), descriptors ' +
        '(descriptions and names of regions, without those that tell the patient)',
      choiceList(keptInformation),
    )
    .option(
      '--accept <list>',
      'objects that pass although their pixels may show names: burned-in, screen, modality',
      choiceList(refusalKinds),
    )
    .option('--force', 'replace existing files')
    .addHelpText(
      'after',
      `
Everything that is not known to be harmless is removed, private attributes too. Identifiers and UIDs are replaced, in
references as well. Objects whose pixels may show names (burnt-in text, screen saves, other modalities) and documents are
refused; they are listed at the end, with exit code 3. Look at the pixels: this does not.

Examples:
  quickcolumn dicom deidentify study/ --out shared/
  quickcolumn dicom deidentify study.zip --out shared/ --key private/key.txt --dates shift
  quickcolumn dicom deidentify ct/ seg.dcm --out shared/ --keep patient,descriptors`,
    )
    .action(deidentify);
}

async function deidentify(inputs: string[], flags: DeidentifyFlags): Promise<void> {
  const { out, key, dates, keep, accept, force } = flags;
  const { series, otherFiles } = await run({ kind: 'deidentify', inputs, out, key, dates, keep, accept, force });
  const rows = series.map(({ patientId, files, folder }) => [patientId, String(files), folder]);
  print(table([['patient', 'files', 'folder'], ...rows]));
  if (otherFiles > 0) note(`${otherFiles} files are not DICOM images or objects; left out`);
}
