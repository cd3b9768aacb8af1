/** Cases as a training holds them: prepared, in shared memory, with labels as class indices and what teachers vote on them. */
import { type ScanCase, toClassIndices } from '@quickcolumn/cases';
import { QuickcolumnError } from '@quickcolumn/errors';
import { shareCase, type TrainConfig, type TrainingCase, votedClasses } from '@quickcolumn/learn';
import type { PreparedScan } from '@quickcolumn/pipeline';
import type { JobContext } from '../context.js';
import type { Teachers } from '../distill/teachers.js';
import { type PrepareOptions, prepareCases } from './prepare-cases.js';

export interface LoadOptions {
  readonly cacheDir: string;
  readonly shownName: (entry: { readonly name: string }) => string;
  /** Are disposed afterwards. */
  readonly teachers: Teachers | undefined;
  /** Gets every prepared scan on its way. */
  readonly onScan: (scan: PreparedScan, name: string) => void;
}

/** @throws the readers', the preparation's and the teachers' errors; `interrupted` */
export async function loadCases(
  cases: readonly (ScanCase & { readonly key: string })[],
  { preparation, data }: TrainConfig,
  { teachers, onScan, ...options }: LoadOptions,
  context: JobContext,
): Promise<(TrainingCase & { readonly key: string })[]> {
  const loaded: (TrainingCase & { readonly key: string })[] = [];
  const onCase: PrepareOptions<(typeof cases)[number]>['onCase'] = async (scan, files) => {
    const { image, size, airValue } = scan;
    const { name, key } = files;
    onScan(scan, name);
    const packed = await teachers?.votesOf(files, scan, options.shownName(files));
    // Without labels the votes say where classes lie, for oversampling; nothing of it is learned twice.
    const labels =
      scan.labels === undefined
        ? packed && votedClasses(packed, preparation.classes.length)
        : toClassIndices(scan.labels, preparation, name);
    if (labels === undefined) throw new QuickcolumnError('internal', `${name}: prepared without labels`);
    const hardShare = scan.labels === undefined ? 0 : (teachers?.hardShare ?? 0);
    const votes = packed && { packed, hardShare };
    loaded.push({ ...shareCase({ name, image, labels, votes, size, airValue }), key });
  };
  try {
    await prepareCases(cases, preparation, { ...options, consent: data, onCase }, context);
  } finally {
    await teachers?.dispose();
  }
  return loaded;
}
