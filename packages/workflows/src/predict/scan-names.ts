/** What scans are called in the names of results, in sidecars and on the terminal: by their files, or without the patient. */
import { QuickcolumnError } from '@quickcolumn/errors';
import { shownNames } from '../folders/case-names.js';
import type { PredictJob } from '../jobs/predict.js';
import { InputError } from '../scans/scan-files.js';
import type { ScanInput } from '../scans/scan-inputs.js';

export interface NamedScans {
  readonly scans: readonly ScanInput[];
  /** Writes which is which, where that was asked for. */
  readonly writeKey: () => Promise<void>;
}

type Naming = Pick<PredictJob, 'name' | 'nameBy' | 'anonymize' | 'anonymizeKey' | 'formats'>;

/** @throws QuickcolumnError `usage` for names that do not fit, InputError for a segmentation that would tell the patient */
export function namedScans(scans: readonly ScanInput[], naming: Naming): NamedScans {
  const { name, nameBy = 'path', formats = [] } = naming;
  const { anonymous, shown, writeKey } = shownNames(scans, naming);
  if (anonymous && formats.includes('seg')) {
    throw new InputError(
      'a DICOM segmentation is filed under the patient of its series, which stands in it; write another format, or ' +
        'deidentify the series first (dicom deidentify)',
    );
  }
  const renamed = (scan: ScanInput, to: string): ScanInput => ({ ...scan, name: to, shownName: to });
  if (anonymous) return { scans: scans.map((scan) => renamed(scan, shown(scan).name)), writeKey };
  if (name !== undefined) {
    if (scans.length !== 1) {
      throw new QuickcolumnError('usage', `one name, ${name}, for ${scans.length} scans; give one scan, or no name`);
    }
    if (/[/\\\p{Cc}\p{Bidi_Control}]/u.test(name) || name.startsWith('.')) {
      throw new QuickcolumnError('usage', `'${name}' is no name of a file; give one without slashes and leading dot`);
    }
    return { scans: [renamed(scans[0], name)], writeKey };
  }
  const bySeries = ({ seriesUid, ...scan }: ScanInput): ScanInput =>
    seriesUid === undefined ? scan : { ...renamed(scan, seriesUid), seriesUid };
  return { scans: nameBy === 'series' ? scans.map(bySeries) : scans, writeKey };
}
