/** `quickcolumn dataset check`: what would make a training fail or lie, and a sheet of thumbnails to look at. */
import { join } from 'node:path';
import { assumptionsOf } from '@quickcolumn/cases';
import {
  checkDataset,
  type CheckReport,
  thumbnail,
  type Thumbnail,
  thumbnailSheet,
  writeFixed,
} from '@quickcolumn/datasets';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import { Command } from 'commander';
import { type CaseNaming, checkOutputFolder, InputError, shownNames } from '@quickcolumn/workflows';
import { checkAnonymousFlags, withAnonymousFlags } from '../../flags/anonymous-flags.js';
import { acceptOption } from '../../flags/consent-flags.js';
import { datasetSource, type SourceFlags, withSourceFlags } from '../../flags/dataset-flags.js';
import { throwIfInterrupted } from '../../terminal/interrupt.js';
import { note, print, progressLine, table } from '../../terminal/terminal.js';

interface CheckFlags extends SourceFlags, CaseNaming {
  readonly out?: string;
  readonly fix?: boolean;
  readonly force?: boolean;
}

export function datasetCheckCommand(): Command {
  const command = withSourceFlags(new Command('check'))
    .description('find pairs, grids, labels, intensities, duplicates and splits that are wrong')
    .addOption(acceptOption())
    .option('--out <folder>', 'for check.json, thumbnails.png and, with --fix, repaired label maps and cases.csv')
    .option('--fix', 'repair harmless differences of geometry, into --out; originals are never changed')
    .option('--force', 'replace the results of an earlier check')
    .addHelpText(
      'after',
      `
Harmless are label maps whose voxels lie in the same places as the image's to half a voxel, in whatever order of axes.
The exit code is 3 when there are errors; warnings are for you to judge.

Examples:
  quickcolumn dataset check --config lung/config.yaml --out lung/check
  quickcolumn dataset check --images ct --labels labels --out check --fix
  quickcolumn train --list check/cases.csv --profile quick --out run`,
    )
    .action(check);
  return withAnonymousFlags(command);
}

async function check(flags: CheckFlags): Promise<void> {
  const { out, fix, force } = flags;
  if (fix && out === undefined) throw new InputError('--fix needs --out: a folder for the repaired label maps');
  if (fix && (flags.anonymize || flags.anonymizeKey !== undefined)) {
    throw new InputError(
      '--fix writes a list of files, which --anonymize may not name; repair first, then check the result',
    );
  }
  await checkAnonymousFlags(flags, force ?? false);
  if (out !== undefined) await checkOutputFolder(out, force ?? false);
  const { cases, preparation, consent } = await datasetSource(flags);
  const { anonymous, shown, writeKey } = shownNames(cases, flags);
  const { classes, ignoreLabel, labels } = preparation;
  const assume = assumptionsOf(consent);
  const line = progressLine('check');
  const thumbnails: Thumbnail[] = [];
  let report: CheckReport;
  try {
    report = await checkDataset(cases, classes, {
      ignoreLabel,
      labels,
      accept: consent.accept,
      assume,
      ...(anonymous ? { shownAs: shown } : {}),
      onCase: (name, index) => {
        throwIfInterrupted();
        line.update(`${name} (${index + 1} of ${cases.length})`, index / cases.length);
      },
      onVolumes: (volumes) => {
        if (out === undefined) return;
        const picture = thumbnail(volumes, classes);
        if (picture !== undefined) thumbnails.push(picture);
      },
    });
  } finally {
    line.end();
  }
  const rows = report.cases.map((facts) => [
    facts.name,
    facts.patient,
    facts.split,
    facts.size.join('×'),
    facts.spacingMm.map((mm) => mm.toFixed(3)).join('×'),
    facts.axes,
    facts.scale,
    `${Number(facts.min.toFixed(1))}…${Number(facts.max.toFixed(1))}`,
    facts.geometry ?? '-',
  ]);
  const heading = ['case', 'patient', 'split', 'size', 'spacing mm', 'axes', 'scale', 'range', 'labels’ grid'];
  if (rows.length > 0) print([...table([heading, ...rows]), '']);
  for (const { severity, kind, message } of report.findings) print(`${severity} (${kind}): ${message}`);
  const errors = report.findings.filter(({ severity }) => severity === 'error');
  print(`${cases.length} cases: ${errors.length} errors, ${report.findings.length - errors.length} warnings`);

  await writeKey();
  let repaired: string[] = [];
  if (out !== undefined) {
    await makeFolder(out);
    await writeFileAtomic(join(out, 'check.json'), `${JSON.stringify(report, null, 2)}\n`);
    const sheet = thumbnailSheet(thumbnails);
    if (sheet !== undefined) await writeFileAtomic(join(out, 'thumbnails.png'), sheet);
    if (fix) {
      repaired = await writeFixed(cases, report, out, { force, assume });
      note(`${repaired.length} label maps repaired in ${join(out, 'labels')}; use ${join(out, 'cases.csv')}`);
    }
    note(`written to ${out}`);
  }
  const left = errors.filter((finding) => !(fix && finding.fixable));
  if (left.length > 0) throw new InputError(`${left.length} errors in this dataset; the first: ${left[0].message}`);
}
