/**
 * Which precision is the faster one on this machine: a training step and a forward pass of a small network, timed in each.
 * Whether a processor gains by bfloat16 does not follow from what it can do: with AMX it is several times as fast as
 * float32, with AVX-512 alone sometimes slower. The trap: other processes only ever add to a time, so the precisions take
 * turns and the least times are compared. Beside two busy processes (2 cores, AMD EPYC, 2026-11-30) medians of 11 turns
 * made a ratio of 1.7 look like 1.1; that of the least times stayed.
 */
import type { Graph } from '@quickcolumn/graph';
import type { CompileOptions, Executable, Precision, Runtime } from '../contract/runtime.js';
import { sampleImage, sampleNetwork, sampleWeights } from './sample-network.js';

/** What a job mostly does: whoever trains waits for steps, whoever predicts for forward passes. */
export type Work = 'training' | 'prediction';

/** Seconds are the least of several turns. */
export interface PrecisionSpeed {
  readonly precision: Precision;
  /** Of a training step of the sample network. */
  readonly stepSeconds: number;
  /** Of its forward pass. */
  readonly predictionSeconds: number;
}

interface MeasuringOptions extends Pick<CompileOptions, 'threads'> {
  /** Told before each turn, and at the end. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Turns that count, behind a first one that touches all memory for the first time. */
const turns = { least: 3, most: 40, enoughMs: 6000 };

/** A least time is believed when another one comes as near to it as this. */
const confirmed = 1.03;

/**
 * Those among which `auto` chooses: float32, and what the runtime itself would take. Others (float16 on graphics cards)
 * are for those who ask for them by name.
 */
export function candidatePrecisions({ precision }: Pick<Runtime, 'precision'>): readonly Precision[] {
  return precision === 'float32' ? ['float32'] : ['float32', precision];
}

/** Float32 first. Takes a few seconds; nothing stays compiled. @throws RuntimeError as the runtime does */
export async function measurePrecisions(
  runtime: Runtime,
  { onProgress, ...options }: MeasuringOptions = {},
): Promise<PrecisionSpeed[]> {
  const timed: Timed[] = [];
  try {
    for (const precision of candidatePrecisions(runtime)) {
      for (const work of ['training', 'prediction'] as const) {
        const graph = sampleNetwork(work === 'training');
        timed.push(await ready(runtime, graph, { precision, work, options }));
      }
    }
    const image = sampleImage();
    for (const one of timed) await one.executable.run({ image });
    const start = performance.now();
    const isEnough = (done: number): boolean =>
      done >= turns.least && (timed.every(isConfirmed) || performance.now() - start > turns.enoughMs);
    let done = 0;
    for (; done < turns.most && !isEnough(done); done++) {
      onProgress?.({ done, total: turns.most });
      for (const { executable, seconds } of timed) {
        const begin = performance.now();
        await executable.run({ image });
        seconds.push((performance.now() - begin) / 1000);
      }
    }
    onProgress?.({ done, total: done });
  } finally {
    for (const { executable } of timed) await executable.dispose();
  }
  const secondsOf = (precision: Precision, work: Work): number =>
    Math.min(...timed.flatMap((one) => (one.precision === precision && one.work === work ? one.seconds : [])));
  return candidatePrecisions(runtime).map((precision) => ({
    precision,
    stepSeconds: secondsOf(precision, 'training'),
    predictionSeconds: secondsOf(precision, 'prediction'),
  }));
}

interface Timed {
  readonly precision: Precision;
  readonly work: Work;
  readonly executable: Executable;
  /** One a turn. */
  readonly seconds: number[];
}

function isConfirmed({ seconds }: Timed): boolean {
  const [least, next] = seconds.toSorted((a, b) => a - b);
  return next <= confirmed * least;
}

async function ready(
  runtime: Runtime,
  graph: Graph,
  { precision, work, options }: Pick<Timed, 'precision' | 'work'> & { readonly options: CompileOptions },
): Promise<Timed> {
  const executable = await runtime.compile(graph, { ...options, precision });
  await executable.writeVariables(sampleWeights(graph));
  return { precision, work, executable, seconds: [] };
}
