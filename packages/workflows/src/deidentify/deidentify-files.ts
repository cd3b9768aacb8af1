/**
 * DICOM files in, the same without whom they show out: OUT/SERIES/NUMBER.dcm by new UIDs, never by the names of the inputs.
 * What cannot be deidentified is left out and told at the end. All results appear at once, or none.
 */
import { basename, join } from 'node:path';
import { deidentify, DicomError, type DicomSource, openSources } from '@quickcolumn/dicom';
import { errorCodeOf, exitCodeOf, exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import { makeFolder, writeFileAtomic } from '@quickcolumn/io';
import type { JobContext } from '../context.js';
import { checkOutputFolder, writeFolder } from '../folders/outputs.js';
import type { DeidentifiedSeries, DeidentifyJob, DeidentifyJobResult, RefusedFile } from '../jobs/deidentify.js';
import { InputError } from '../scans/scan-files.js';
import { listed } from '../text.js';
import { checkKeyPlace, newKey, openKey } from './key-file.js';

/**
 * @throws OutputError, InputError, FileError; and when all others are written, an error of code `input` that lists the
 *   files that were refused (`fields.refused`) beside what was written (`fields.series`)
 */
export async function runDeidentification(job: DeidentifyJob, context: JobContext): Promise<DeidentifyJobResult> {
  const { inputs, out, dates = 'remove' } = job;
  await checkOutputFolder(out, job.force ?? false);
  if (job.key !== undefined) checkKeyPlace(job.key, out);
  const opened = await openSources(inputs);
  try {
    if (opened.sources.length === 0) throw new InputError(`${inputs.join(', ')}: no files`);
    const key = await keyOf(job, context);
    const found = await writeFolder(out, async (staging) => {
      const all = await writeAll(opened.sources, { ...job, key, dates, staging }, context);
      if (all.series.length === 0 && all.refused.length > 0) throw refusedError(all);
      if (all.series.length === 0) throw new InputError(`${inputs.join(', ')}: no DICOM files`);
      return all;
    });
    if (found.faces > 0) {
      context.note(
        `${found.faces} files are scans of the head: a face can be rendered from them, which this does not prevent`,
      );
    }
    if (found.refused.length > 0) throw refusedError(found);
    return { series: found.series, otherFiles: found.otherFiles };
  } finally {
    opened.close();
  }
}

async function keyOf({ key: path }: DeidentifyJob, context: JobContext): Promise<Uint8Array> {
  if (path === undefined) {
    context.note('a key for this run alone: another run gives the same patient another identifier');
    return newKey();
  }
  const key = await openKey(path);
  if (key.isNew) context.note(`${path}: a new key; keep it secret, and use it again for the same identifiers`);
  return key.bytes;
}

interface Found extends DeidentifyJobResult {
  readonly refused: readonly RefusedFile[];
  /** Files in which a face may be seen. */
  readonly faces: number;
}

async function writeAll(
  sources: readonly DicomSource[],
  request: Pick<DeidentifyJob, 'keep' | 'accept' | 'dates' | 'out'> & {
    readonly key: Uint8Array;
    readonly staging: string;
  },
  context: JobContext,
): Promise<Found> {
  const series = new Map<string, DeidentifiedSeries>();
  const names = new Set<string>();
  const seen = new Set<string>();
  const refused: RefusedFile[] = [];
  let [otherFiles, faces] = [0, 0];
  const task = context.begin('deidentify');
  for (const [index, source] of sources.entries()) {
    context.throwIfInterrupted();
    task.update(`file ${index + 1} of ${sources.length}`, index + 1, sources.length);
    try {
      const file = await deidentify(source, request);
      const { seriesUid, patientId, instanceUid } = file;
      const folder = join(request.staging, seriesUid);
      await makeFolder(folder);
      if (seen.has(instanceUid)) {
        throw new DicomError(source.name, 'duplicates', 'has the SOP Instance UID of another file; one is written');
      }
      seen.add(instanceUid);
      // Instance numbers may repeat or be missing.
      const number = String(file.instanceNumber ?? 0).padStart(5, '0');
      const name = names.has(`${seriesUid}/${number}`) ? `${number}-${instanceUid}` : number;
      names.add(`${seriesUid}/${name}`);
      await writeFileAtomic(join(folder, `${name}.dcm`), file.bytes);
      const { files } = series.get(seriesUid) ?? { files: 0 };
      series.set(seriesUid, { seriesUid, patientId, folder: join(request.out, seriesUid), files: files + 1 });
      if (file.mayShowFace) faces++;
    } catch (error) {
      if (isOtherFile(source, error)) otherFiles++;
      else refused.push(refusalOf(source, error));
    }
  }
  task.end();
  return { series: [...series.values()], refused, otherFiles, faces };
}

/** Whether it is no DICOM file, or the index of a medium, which belongs to the original files. */
function isOtherFile({ name }: DicomSource, error: unknown): boolean {
  return basename(name).toUpperCase() === 'DICOMDIR' || (error instanceof DicomError && error.reason === 'not-dicom');
}

/** @throws the error where it is about more than this file */
function refusalOf({ name }: DicomSource, error: unknown): RefusedFile {
  const code = errorCodeOf(error);
  if (exitCodeOf(code) !== exitCodes.input || !(error instanceof QuickcolumnError)) throw error;
  const options = error instanceof DicomError ? (error.fields['options'] as RefusedFile['options']) : undefined;
  return { path: name, code, message: error.message, ...(options !== undefined && { options }) };
}

function refusedError({ refused, series, otherFiles }: Found): QuickcolumnError {
  const written = series.reduce((sum, { files }) => sum + files, 0);
  const lines = [
    `${refused.length} of ${refused.length + written} files were not deidentified:`,
    ...listed(refused.map(({ message }) => message)),
    written === 0 ? 'nothing is written' : 'the others are written',
  ];
  const options = Object.fromEntries(refused.flatMap((file) => Object.entries(file.options ?? {})));
  return new QuickcolumnError('input', lines.join('\n'), { refused, series, otherFiles, options });
}
