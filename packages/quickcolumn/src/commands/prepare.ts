/** `quickcolumn prepare`: fills the cache, so that trainings start at once, and shows what came out of each scan. */
import { casesOf, consentOf } from '@quickcolumn/cases';
import { type ProfileName, profileNames } from '@quickcolumn/learn';
import { Command, Option } from 'commander';
import { defaultCache, type ScanConsent, type ScanFiles, scansIn } from '@quickcolumn/workflows';
import { withConsentFlags } from '../flags/consent-flags.js';
import { configFromFlags } from '../flags/data-flags.js';
import { run } from '../terminal/run.js';
import { note, print, table } from '../terminal/terminal.js';

interface PrepareFlags extends ScanConsent {
  readonly list?: string;
  readonly images?: string;
  readonly labels?: string;
  readonly profile?: ProfileName;
  readonly config?: string;
  readonly cache: string;
}

export function prepareCommand(): Command {
  const command = new Command('prepare')
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
  return withConsentFlags(command);
}

async function prepare(flags: PrepareFlags): Promise<void> {
  const { images, labels, cache, ...others } = flags;
  const { preparation, data } = await configFromFlags({ ...others, images, labels: labels ?? images });
  const cases: readonly ScanFiles[] =
    images !== undefined && labels === undefined
      ? (await scansIn(images, 'images', { note })).map(({ name, path }) => ({ name, imagePath: path }))
      : await casesOf(images === undefined ? data : { ...data, patients: {} });
  const { cases: prepared, cacheDir } = await run({
    kind: 'prepare',
    cases: cases.map(({ name, imagePath, labelPath }) => ({ name, imagePath, labelPath })),
    preparation,
    ...consentOf(data),
    cacheDir: cache,
  });
  const names = preparation.classes.map(({ name }) => name);
  const heading = ['case', 'size', 'prepared', 'scale', 'mean', 'sd', ...names, 'from'];
  const rows = prepared.map(({ name, originalSize, size, scale, mean, sd, classShares, source, seconds }) => [
    name,
    originalSize.join('×'),
    size.join('×'),
    scale,
    mean.toFixed(1),
    sd.toFixed(1),
    ...names.map((_, index) => (classShares === undefined ? '-' : `${(100 * classShares[index]).toFixed(2)} %`)),
    source === 'hit' ? 'cache' : `${source}, ${seconds.toFixed(1)} s`,
  ]);
  print(table([heading, ...rows]));
  note(`prepared cases are in ${cacheDir}`);
}
