/** Which folds of which systems are to be done, and whether what is there already may stand beside them. */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { Precision, RuntimeChoice } from '@quickcolumn/runtimes';
import type { FoldIdentity } from '../jobs/fold.js';
import type { Experiment, ExperimentSystem } from './experiment.js';
import { readIdentity, readResult } from './fold-files.js';
import { computeIdentity, identityDifferences } from './identity.js';

export interface FoldTask {
  readonly system: ExperimentSystem;
  readonly fold: number;
  readonly folder: string;
  readonly identity: FoldIdentity;
}

export interface FoldChoice {
  readonly experiment: Experiment;
  /** Ids; default all. The systems whose weights they use come along. */
  readonly systems?: readonly string[];
  /** From 0; default all. */
  readonly folds?: readonly number[];
  /** Ids of systems to be trained anew; `all` for all. */
  readonly redo: readonly string[];
}

/** @throws QuickcolumnError `usage` for systems and folds that are not there */
export function chooseTasks(tasks: readonly FoldTask[], { systems, folds, experiment }: FoldChoice): FoldTask[] {
  const ids = experiment.systems.map(({ id }) => id);
  requireKnown('systems', systems ?? [], ids);
  const numbers = Array.from({ length: experiment.folds }, (_, fold) => String(fold));
  requireKnown('folds', (folds ?? []).map(String), numbers);
  const wanted = new Set(systems ?? ids);
  for (const { id, weightsOf } of experiment.systems) {
    if (wanted.has(id) && weightsOf !== undefined) wanted.add(weightsOf);
  }
  return tasks.filter(({ system, fold }) => wanted.has(system.id) && (folds === undefined || folds.includes(fold)));
}

/** Those to be done anew: of the systems that are named, and of those that use their weights. */
export function redoneTasks(chosen: readonly FoldTask[], { redo, experiment }: FoldChoice): Set<FoldTask> {
  requireKnown('redo', redo, ['all', ...experiment.systems.map(({ id }) => id)]);
  const isRedone = ({ id, weightsOf = id }: ExperimentSystem): boolean =>
    redo.includes('all') || redo.includes(id) || redo.includes(weightsOf);
  return new Set(chosen.filter(({ system }) => isRedone(system)));
}

function requireKnown(what: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new QuickcolumnError('usage', `${what}: ${unknown.join(', ')} is not known; use ${known.join(', ')}`);
}

/**
 * With precision `auto`, that of the folds that are there already, where they were made with this runtime, here: what is
 * measured to be the faster one may turn out otherwise another day.
 */
export async function precisionOfFolds(
  folders: readonly string[],
  { device, threads }: { readonly device: RuntimeChoice; readonly threads: number | undefined },
): Promise<Precision | undefined> {
  for (const folder of folders) {
    const was = await readIdentity(folder);
    const same = (precision: Precision): boolean => was?.compute === computeIdentity({ ...device, precision }, threads);
    const precision = device.runtime.precisions.find(same);
    if (precision !== undefined) return precision;
  }
  return undefined;
}

/** Begun folds count too: half a training under other conditions is a mixture as well. @throws `output` */
export async function refuseMixture(tasks: readonly FoldTask[]): Promise<void> {
  const problems: string[] = [];
  const ids = new Set<string>();
  for (const { system, fold, folder, identity } of tasks) {
    for (const was of [await readIdentity(folder), (await readResult(folder))?.identity]) {
      const differs = was === undefined ? '' : identityDifferences(was, identity);
      if (differs === '') continue;
      problems.push(`${system.id}, fold-${fold} (${folder}): made with another ${differs}`);
      ids.add(system.weightsOf ?? system.id);
      break;
    }
  }
  if (problems.length === 0) return;
  const shown = problems.slice(0, 5);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
  const redo = [...ids].join(',');
  throw new QuickcolumnError(
    'output',
    `${shown.join('\n')}\nResults that differ in this are never put in one table. Put it back as it was, do these anew ` +
      '(redo), choose another folder, or report those that belong together',
    { redo: [...ids], options: { [`redo ${redo}`]: 'do them anew', 'report-only': 'report what belongs together' } },
  );
}
