/** What this machine offers to jobs: its runtimes, and which of them in which precision jobs take by themselves, and why. */
import {
  chooseRuntime,
  type PrecisionSpeed,
  type Runtime,
  type RuntimeSurvey,
  surveyRuntimes,
  type Work,
} from '@quickcolumn/runtimes';
import { createContext } from '../context.js';
import { inThisProcess } from '../run-job.js';
import { measuredPrecisions, precisionsFile } from './measured-precisions.js';

export interface MachineSurvey {
  readonly runtimes: readonly RuntimeSurvey[];
  /** What `auto` takes for a job that trains, and for one that predicts. */
  readonly auto: Readonly<Record<Work, AutoChoice>>;
  /** Between which precisions `auto` chose, on all cores; absent where there is no choice. */
  readonly precisions?: {
    readonly speeds: readonly PrecisionSpeed[];
    /** Where they are kept. */
    readonly file: string;
  };
  /** What is wrong with that file. */
  readonly notes: readonly string[];
}

interface AutoChoice {
  readonly runtime: string;
  readonly precision: string;
  /** One line for people. */
  readonly reason: string;
}

/** Takes some seconds a runtime. @throws RuntimeError where no runtime can be used */
export async function surveyMachine(): Promise<MachineSurvey> {
  const runtimes = await surveyRuntimes();
  const notes: string[] = [];
  const onNote = (text: string): void => void notes.push(text);
  const context = createContext({ onEvent: (event) => event.kind === 'note' && onNote(event.text) }, inThisProcess);
  let measuring: Promise<readonly PrecisionSpeed[]> | undefined;
  const choose = async (work: Work): Promise<AutoChoice> => {
    const speedsOf = (runtime: Runtime): Promise<readonly PrecisionSpeed[]> =>
      (measuring ??= measuredPrecisions(runtime, context));
    const { runtime, precision, reason } = await chooseRuntime({ measured: { work, speedsOf } });
    runtime.close?.();
    return { runtime: runtime.name, precision, reason };
  };
  const auto = { training: await choose('training'), prediction: await choose('prediction') };
  const speeds = await measuring;
  return { runtimes, auto, notes, ...(speeds && { precisions: { speeds, file: precisionsFile() } }) };
}
