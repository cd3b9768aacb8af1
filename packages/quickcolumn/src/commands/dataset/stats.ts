/** `quickcolumn dataset stats`: sizes, spacings, volumes, intensities, and the patch that fits. */
import { join } from 'node:path';
import { assumptionsOf } from '@quickcolumn/cases';
import { type DatasetStats, datasetStats, statsPage, statsRows, summaryOf } from '@quickcolumn/datasets';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { Command } from 'commander';
import { type CaseNaming, checkOutputFolder, shownNames } from '@quickcolumn/workflows';
import { checkAnonymousFlags, withAnonymousFlags } from '../../flags/anonymous-flags.js';
import { positiveNumber } from '../../flags/arguments.js';
import { datasetSource, type SourceFlags, withSourceFlags } from '../../flags/dataset-flags.js';
import { throwIfInterrupted } from '../../terminal/interrupt.js';
import { note, print, progressLine, table } from '../../terminal/terminal.js';

interface StatsFlags extends SourceFlags, CaseNaming {
  readonly out?: string;
  readonly patchVoxels?: number;
  readonly force?: boolean;
}

export function datasetStatsCommand(): Command {
  const command = withSourceFlags(new Command('stats'))
    .description('measure a dataset: shapes, volumes, intensities, suggested patch')
    .option('--out <folder>', 'for stats.json and stats.html (charts)')
    .option(
      '--patch-voxels <n>',
      'voxels of the suggested patch at most (default: the paper’s 160·160·80)',
      positiveNumber,
    )
    .option('--force', 'replace the results of an earlier run')
    .addHelpText(
      'after',
      `
Check the dataset first. Shapes after resampling are in the order left, posterior, superior.

Examples:
  quickcolumn dataset stats --config lung/config.yaml --out lung/stats
  quickcolumn dataset stats --images ct --labels labels`,
    )
    .action(measure);
  return withAnonymousFlags(command);
}

async function measure(flags: StatsFlags): Promise<void> {
  const { out, patchVoxels, force } = flags;
  if (out !== undefined) await checkOutputFolder(out, force ?? false);
  await checkAnonymousFlags(flags, force ?? false);
  const { cases: listed, preparation, consent } = await datasetSource(flags);
  const { shown, writeKey } = shownNames(listed, flags);
  const cases = listed.map(shown);
  const line = progressLine('stats');
  let stats: DatasetStats;
  try {
    stats = await datasetStats(cases, preparation, {
      patchVoxels,
      assume: assumptionsOf(consent),
      onCase: (name, index) => {
        throwIfInterrupted();
        line.update(`${name} (${index + 1} of ${cases.length})`, index / cases.length);
      },
    });
  } finally {
    line.end();
  }
  await writeKey();
  print([...table(statsRows(stats)), '']);
  for (const [name, value] of summaryOf(stats)) print(`${name}: ${value}`);
  if (out === undefined) return;
  await makeFolder(out);
  await writeFileAtomic(join(out, 'stats.json'), `${JSON.stringify(stats, null, 1)}\n`);
  await writeFileAtomic(join(out, 'stats.html'), statsPage(stats, preparation.classes, 'Dataset'));
  note(`written to ${out}`);
}
