/** What runtimes there are, there or not, and how fast each is: everything that `doctor` shows of them. */
import { QuickcolumnError } from '@quickcolumn/errors';
import type { FoundRuntime, RuntimeDetail, RuntimeProvider } from '../contract/provider.js';
import type { Runtime } from '../contract/runtime.js';
import { measureSpeed, type RuntimeSpeed } from './speed.js';

export interface RuntimeSurvey extends Pick<RuntimeProvider, 'name' | 'title' | 'runsOn' | 'installation'> {
  /** Why it cannot be used here; absent where it can. */
  readonly problem?: string;
  /** Of the library or adapter; absent where it is missing. */
  readonly version?: string;
  /** Why `auto` passes it over here, although it is there. */
  readonly notByItself?: string;
  readonly details: readonly RuntimeDetail[];
  /** One for each precision that it computes in here. */
  readonly speeds: readonly RuntimeSpeed[];
}

/** Goes over all of them, one after the other; a runtime that is missing or fails is a line of the result. */
export async function surveyFrom(providers: readonly RuntimeProvider[]): Promise<RuntimeSurvey[]> {
  const surveys: RuntimeSurvey[] = [];
  for (const provider of providers) surveys.push(await survey(provider));
  return surveys;
}

async function survey(provider: RuntimeProvider): Promise<RuntimeSurvey> {
  const { name, title, runsOn, installation } = provider;
  const known = { name, title, runsOn, installation };
  const speeds: RuntimeSpeed[] = [];
  let found: FoundRuntime | undefined;
  let runtime: Runtime | undefined;
  try {
    found = await provider.find();
    runtime = await provider.open();
    for (const precision of runtime.precisions) speeds.push(await measureSpeed(runtime, { precision }));
    return { ...known, ...found, speeds };
  } catch (error) {
    if (!(error instanceof QuickcolumnError)) throw error;
    return { ...known, details: [], ...found, speeds, problem: error.message };
  } finally {
    runtime?.close?.();
  }
}
