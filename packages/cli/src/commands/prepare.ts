/** `quickcolumn prepare`: fills the cache, so that trainings start at once, and shows what came out of each scan. */
import { casesOf } from '@quickcolumn/cases';
import { type ProfileName, profileNames } from '@quickcolumn/learn';
import type { CaseFiles } from '@quickcolumn/pipeline';
import { Command, Option } from 'commander';
import { scansIn } from '../cases.js';
import { defaultCache, prepareCases } from '../preparation.js';
import { note, print, table } from '../terminal.js';
import { trainConfigFrom } from '../train-config.js';

interface PrepareFlags {
  readonly list?: string;
  readonly images?: string;
  readonly labels?: string;
  readonly profile?: ProfileName;
  readonly config?: string;
  readonly cache: string;
}

export function prepareCommand(): Command {
  return new Command('prepare')
    .description('prepare scans for training and keep them in the cache')
    .option('--list <cases.csv>', 'list of image,label,patient (CSV or JSON)')
    .option('--images <folder>', 'scans (NIfTI, NRRD, MetaImage); without it and --list, the data of --config')
    .option('--labels <folder>', 'label maps of the same names')
    .addOption(new Option('--profile <name>', 'whose preparation (default: paper)').choices(profileNames))
    .option('--config <config.yaml>', 'preparation from this file')
    .option('--cache <folder>', 'where prepared cases are kept', defaultCache())
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn prepare --profile quick --images ct --labels labels
  quickcolumn prepare --config set/config.yaml
  quickcolumn prepare --config my.yaml --images ct --labels labels --cache /scratch/cache`,
    )
    .action(prepare);
}

async function prepare(flags: PrepareFlags): Promise<void> {
  const { list, images, labels, profile, config, cache } = flags;
  const { preparation, data } = await trainConfigFrom({ profile, config, list, images, labels: labels ?? images });
  const cases: readonly CaseFiles[] =
    images !== undefined && labels === undefined
      ? (await scansIn(images, '--images')).map(({ name, path }) => ({ name, imagePath: path }))
      : await casesOf(images === undefined ? data : { ...data, patients: {} });
  const rows = [
    ['case', 'size', 'prepared', 'scale', 'mean', 'sd', ...preparation.classes.map(({ name }) => name), 'from'],
  ];
  await prepareCases(cases, preparation, {
    cacheDir: cache,
    onCase: (scan, { name }, seconds) => {
      const counts = preparation.classes.map(({ value }) => share(scan.labels, value));
      const from = scan.source === 'hit' ? 'cache' : `${scan.source}, ${seconds.toFixed(1)} s`;
      const { originalSize } = scan.undo;
      const numbers = [scan.mean.toFixed(1), scan.sd.toFixed(1)];
      rows.push([name, originalSize.join('×'), scan.size.join('×'), scan.scale, ...numbers, ...counts, from]);
    },
  });
  print(table(rows));
  note(`prepared cases are in ${cache}`);
}

function share(labels: Uint8Array | undefined, value: number): string {
  if (labels === undefined) return '-';
  let count = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === value) count++;
  return `${((100 * count) / labels.length).toFixed(2)} %`;
}
