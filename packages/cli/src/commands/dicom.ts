/** `quickcolumn dicom`: what DICOM series a folder or archive holds, and why some cannot be used. */
import { type DicomSeries, parseRepair, readPatient, type SeriesRepair } from '@quickcolumn/dicom';
import { axisCodes } from '@quickcolumn/volume';
import { Command } from 'commander';
import { type OpenListing, openListing } from '../dicom-input.js';
import { print, table } from '../terminal.js';

interface ListFlags {
  readonly json?: boolean;
  readonly patient?: boolean;
  readonly repair?: SeriesRepair;
}

export function dicomCommand(): Command {
  const command = new Command('dicom').description('look into DICOM files').addHelpText(
    'after',
    `
Examples:
  quickcolumn dicom list scans/
  quickcolumn dicom list study.zip --json`,
  );
  const list = new Command('list')
    .description('show the series in folders, zip archives and files, and why one is unusable')
    .argument('<path...>', 'folders, zip archives, files; other files are passed over')
    .option('--json', 'as JSON')
    .option('--patient', 'also show patient and descriptions (hidden by default)')
    .option('--repair <list>', 'judge as if repaired, e.g. missing=interpolate,tilt=shear', parseRepair)
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn dicom list scans/
  quickcolumn dicom list study.zip --json
  quickcolumn dicom list scans/ --repair missing=interpolate`,
    )
    .action(listDicom);
  return command.addCommand(list);
}

async function listDicom(paths: readonly string[], flags: ListFlags): Promise<void> {
  const listing = await openListing(paths, { repair: flags.repair });
  try {
    const patients = flags.patient ? await Promise.all(listing.series.map(patientOf)) : undefined;
    if (flags.json) print(JSON.stringify(asJson(listing, patients), null, 2));
    else showTable(listing, patients);
  } finally {
    listing.close();
  }
}

type Patient = Awaited<ReturnType<typeof readPatient>>;

function patientOf({ slices }: DicomSeries): Promise<Patient> {
  return readPatient(slices[0].source);
}

function sizeOf({ grid, slices }: DicomSeries): readonly number[] {
  return grid?.size ?? [slices[0].format.columns, slices[0].format.rows, slices.length];
}

function asJson(listing: OpenListing, patients: readonly Patient[] | undefined): unknown {
  const { series, objects, damaged, otherFiles } = listing;
  return {
    series: series.map((entry, i) => ({
      number: i + 1,
      seriesUid: entry.seriesUid,
      studyUid: entry.studyUid,
      frameOfReferenceUid: entry.frameOfReferenceUid,
      modality: entry.modality,
      slices: entry.slices.length,
      size: sizeOf(entry),
      spacingMm: entry.spacingMm?.map((mm) => (Number.isNaN(mm) ? null : mm)),
      orientation: entry.grid === undefined ? undefined : axisCodes(entry.grid.affine),
      transferSyntaxes: [...new Set(entry.slices.map(({ syntax }) => syntax.name))],
      usable: entry.problems.length === 0,
      problems: entry.problems,
      notes: entry.notes,
      ...(patients === undefined ? {} : { patient: patients[i] }),
    })),
    objects: objects.map(({ modality, classUid, seriesUid }) => ({ modality, classUid, seriesUid })),
    damaged: damaged.map(({ path, reason, message }) => ({ path, reason, message })),
    otherFiles,
  };
}

function showTable(listing: OpenListing, patients: readonly Patient[] | undefined): void {
  const { series, objects, damaged, otherFiles } = listing;
  const rows = series.map((entry, i) => [
    String(i + 1),
    entry.modality,
    String(entry.slices.length),
    sizeOf(entry).join('×'),
    entry.spacingMm?.map((mm) => (Number.isNaN(mm) ? '?' : mm.toFixed(3))).join('×') ?? '?',
    entry.grid === undefined ? '-' : axisCodes(entry.grid.affine),
    entry.problems.length === 0 ? 'usable' : 'NOT usable',
    entry.seriesUid,
  ]);
  if (rows.length > 0) print(table([['#', 'modality', 'slices', 'size', 'spacing mm', 'axes', '', 'series'], ...rows]));
  for (const [i, entry] of series.entries()) {
    for (const { message } of entry.problems) print(`series ${i + 1}: ${message}`);
    for (const text of entry.notes) print(`series ${i + 1}: note: ${text}`);
    if (patients !== undefined) {
      const facts = Object.entries(patients[i]).filter(([, value]) => value !== '');
      print(`series ${i + 1}: ${facts.map(([name, value]) => `${name} ${value}`).join(', ')}`);
    }
  }
  for (const { modality, classUid } of objects) print(`object without image: ${modality} (${classUid})`);
  for (const { message } of damaged) print(`unusable file: ${message}`);
  print(`${series.length} series, ${damaged.length} unusable files, ${otherFiles} other files`);
}
