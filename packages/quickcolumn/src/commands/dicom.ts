/**
 * `quickcolumn dicom`: what DICOM series a folder or archive holds and why some cannot be used, and labels for training
 * from the segmentations and structure sets that belong to them.
 */
import {
  DicomError,
  type DicomSeries,
  type PaintedLabels,
  paintRegions,
  parseRegionValues,
  parseRepair,
  readPatient,
  readSegmentation,
  readSeries,
  readStructures,
  type SeriesRepair,
} from '@quickcolumn/dicom';
import { labelsDescription, makeFolder, writeVolume } from '@quickcolumn/io';
import { axisCodes } from '@quickcolumn/volume';
import { Command, Option } from 'commander';
import { dirname } from 'node:path';
import { checkOutputFile, chooseSeries, InputError, openListing, type OpenListing } from '@quickcolumn/workflows';
import { deidentifyCommand } from './dicom-deidentify.js';
import { interruptSignal } from '../terminal/interrupt.js';
import { note, print, printJson, table } from '../terminal/terminal.js';

interface ListFlags {
  readonly json?: boolean;
  readonly patient?: boolean;
  readonly repair?: SeriesRepair;
}

interface LabelsFlags {
  readonly images: string[];
  readonly out: string;
  readonly imageOut?: string;
  readonly map?: ReadonlyMap<string, number>;
  readonly overlap: 'refuse' | 'last';
  readonly series?: string;
  readonly repair?: SeriesRepair;
  readonly force?: boolean;
}

export function dicomCommand(): Command {
  const command = new Command('dicom')
    .description('list DICOM series; labels from DICOM segmentations and structure sets; deidentified copies')
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn dicom list scans/
  quickcolumn dicom list study.zip --json
  quickcolumn dicom labels contours.dcm --images scan/ --out labels/case.nii.gz --map Lung_L=1,Lung_R=2
  quickcolumn dicom deidentify study/ --out shared/ --key private/key.txt`,
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
  const labels = new Command('labels')
    .description('write the regions of a DICOM segmentation or RT structure set as a label map on the grid of a series')
    .argument('<object>', 'segmentation (SEG) or structure set (RTSTRUCT)')
    .requiredOption('--images <path...>', 'the series it belongs to: folders, zip archives or files')
    .requiredOption('--out <file.nii.gz>', 'label map')
    .option('--image-out <file.nii.gz>', 'also write the series itself, in HU')
    .option(
      '--map <list>',
      'label value of each region by name, e.g. Lung_L=1,GTV=3 (default: all, by number)',
      parseRegionValues,
    )
    .addOption(
      new Option('--overlap <rule>', 'where regions overlap: refuse, or the last of --map wins')
        .choices(['refuse', 'last'])
        .default('refuse'),
    )
    .option('--series <uid or number>', 'which series, where there are several')
    .option('--repair <list>', 'repair the series, e.g. missing=interpolate', parseRepair)
    .option('--force', 'replace existing files')
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn dicom labels seg.dcm --images scan/ --out labels/case.nii.gz --image-out ct/case.nii.gz
  quickcolumn dicom labels rtstruct.dcm --images scan/ --out case.nii.gz --map Lung_L=1,Lung_R=2,GTV=3 --overlap last`,
    )
    .action(writeLabels);
  return command.addCommand(list).addCommand(labels).addCommand(deidentifyCommand());
}

async function writeLabels(object: string, flags: LabelsFlags): Promise<void> {
  const { out, imageOut, map, overlap, force = false } = flags;
  const outputs = imageOut === undefined ? [out] : [out, imageOut];
  for (const path of outputs) {
    if (!/\.nii(\.gz)?$/i.test(path)) throw new InputError(`${path}: expected a name that ends in .nii.gz or .nii`);
    await checkOutputFile(path, force);
  }
  const listing = await openListing(flags.images, { repair: flags.repair, signal: interruptSignal });
  try {
    const { series, notes: choice } = chooseSeries(listing, flags.series, flags.images[0]);
    const { volume, frameOfReferenceUid, notes } = await readSeries(series, {
      repair: flags.repair,
      signal: interruptSignal,
    });
    for (const text of [...choice, ...notes]) note(text);
    const { labels, regions } = await labelsOf(object, { ...volume, frameOfReferenceUid }, { values: map, overlap });
    const rows = regions.map(({ number, name, value, voxels }) => [
      String(number),
      name,
      value === undefined ? 'left out' : String(value),
      String(voxels),
    ]);
    for (const path of outputs) await makeFolder(dirname(path));
    await writeVolume(out, labels, { force, description: labelsDescription });
    if (imageOut !== undefined) await writeVolume(imageOut, volume, { force, description: 'quickcolumn CT in HU' });
    print(table([['#', 'region', 'value', 'voxels'], ...rows]));
    for (const path of outputs) print(path);
  } finally {
    listing.close();
  }
}

async function labelsOf(
  object: string,
  grid: Parameters<typeof readStructures>[1],
  options: Parameters<typeof paintRegions>[3],
): Promise<PaintedLabels> {
  const listing = await openListing([object]);
  try {
    const [found] = listing.damaged;
    if (found !== undefined) throw found.error;
    const [entry, ...others] = listing.objects;
    if (entry === undefined || others.length > 0) {
      throw new DicomError(object, 'labels', 'expected one segmentation or structure set');
    }
    const read = entry.modality === 'RTSTRUCT' ? readStructures : readSegmentation;
    return paintRegions(object, await read(entry.source, grid), grid, options);
  } finally {
    listing.close();
  }
}

async function listDicom(paths: readonly string[], flags: ListFlags): Promise<void> {
  const listing = await openListing(paths, { repair: flags.repair, signal: interruptSignal });
  try {
    const patients = flags.patient ? await Promise.all(listing.series.map(patientOf)) : undefined;
    if (flags.json) printJson(asJson(listing, patients));
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
    damaged: damaged.map(({ error: { path, reason, message } }) => ({ path, reason, message })),
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
    for (const { message, repair } of entry.problems) {
      print(`series ${i + 1}: ${message}${repair === undefined ? '' : ` (--repair ${repair})`}`);
    }
    for (const text of entry.notes) print(`series ${i + 1}: note: ${text}`);
    if (patients !== undefined) {
      const facts = Object.entries(patients[i]).filter(([, value]) => value !== '');
      print(`series ${i + 1}: ${facts.map(([name, value]) => `${name} ${value}`).join(', ')}`);
    }
  }
  for (const { modality, classUid } of objects) print(`object without image: ${modality} (${classUid})`);
  for (const { error } of damaged) print(`unusable file: ${error.message}`);
  print(`${series.length} series, ${damaged.length} unusable files, ${otherFiles} other files`);
}
