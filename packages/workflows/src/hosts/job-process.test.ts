/** A job gives the same in this process, in one of its own, and sent as JSON to a program that has only the library. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitCodes, QuickcolumnError } from '@quickcolumn/errors';
import { parseTrainConfig } from '@quickcolumn/learn';
import { writePhantomCases } from '@quickcolumn/phantom';
import { readModel } from '@quickcolumn/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobEvent } from '../events.js';
import type { TrainJob, TrainJobResult } from '../jobs/train.js';
import { runJob } from '../run-job.js';
import type { FromStage } from './messages.js';
import { inOwnProcess } from './process.js';

const program = fileURLToPath(new URL('../../dist/hosts/job-process.js', import.meta.url));

interface Answer {
  readonly code: number | null;
  readonly events: readonly JobEvent[];
  readonly last: FromStage | undefined;
}

/** @param stopAt sends SIGTERM at the first event that it is true of */
async function sent(json: string, stopAt?: (event: JobEvent) => boolean): Promise<Answer> {
  if (!existsSync(program)) throw new Error(`${program} is not built; run npm run build first`);
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(json);
  let text = '';
  let stopped = false;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (stopAt === undefined || stopped) return;
    const whole = text.split('\n').slice(0, -1);
    stopped = whole.some((line) => {
      const message = JSON.parse(line) as FromStage;
      return message.kind === 'event' && stopAt(message.event);
    });
    if (stopped) child.kill('SIGTERM');
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  const messages = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FromStage);
  const events = messages.flatMap((message) => (message.kind === 'event' ? [message.event] : []));
  return { code, events, last: messages.at(-1) };
}

/** Which events came, without the numbers of this run. */
const outline = (events: readonly JobEvent[]): string[] =>
  events.map((event) => {
    if (event.kind === 'note') return `note ${event.text.replace(/[\d.]+ [GMk]B/g, 'N')}`;
    if (event.kind === 'training') return `training ${event.progress.kind}`;
    return `${event.kind} ${event.activity} ${event.subject ?? ''}`;
  });

describe('a job', () => {
  let folder = '';
  let job: TrainJob;
  const into = (out: string): TrainJob => ({ ...job, out: join(folder, out), cacheDir: join(folder, 'cache') });
  const weightsOf = async (model: string): Promise<string> => (await readModel(model)).metadata.weightsSha256;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickcolumn-jobs-'));
    await writePhantomCases(join(folder, 'data'), 3, 5, { size: [40, 36, 24], spacingMm: [7, 7, 10] });
    const config = parseTrainConfig(
      {
        profile: 'quick',
        data: { images: join(folder, 'data', 'ct'), labels: join(folder, 'data', 'labels') },
        preparation: { spacingMm: [10, 10, 10] },
        network: { rootFilters: 2 },
        train: { patch: [16, 16, 16], epochs: 2, stepsPerEpoch: 2 },
        compute: { runtime: 'onnx', precision: 'float32' },
        predict: { overlap: [4, 4, 4] },
      },
      'test',
    );
    job = { kind: 'train', config, out: '', threads: 1 };
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('gives the same result and progress in three places', async () => {
    const here: JobEvent[] = [];
    const first = await runJob(into('here'), { onEvent: (event) => here.push(event) });
    const there: JobEvent[] = [];
    const { signal } = new AbortController();
    const second = await inOwnProcess.run(into('there'), { signal, onEvent: (event) => there.push(event) });
    const third = await sent(JSON.stringify(into('piped')));

    expect(third.code).toBe(0);
    const piped = third.last?.kind === 'done' ? (third.last.result as TrainJobResult) : undefined;
    const losses = (result: TrainJobResult | undefined): unknown => result?.history.map(({ training }) => training);
    expect(losses(second)).toEqual(losses(first));
    expect(losses(piped)).toEqual(losses(first));
    expect(await weightsOf(second.model)).toBe(await weightsOf(first.model));
    expect(await weightsOf(piped?.model ?? '')).toBe(await weightsOf(first.model));
    // Preparing says more where the cache is still empty.
    const training = (events: readonly JobEvent[]): string[] =>
      outline(events).filter((line) => !line.includes('prepare'));
    expect(training(there)).toEqual(training(here));
    expect(training(third.events)).toEqual(training(here));
    expect(training(here).filter((line) => line === 'training epoch')).toHaveLength(2);
  });

  it('gives the same error in three places', async () => {
    const wrong = into('here');
    const errors = await Promise.all([
      runJob(wrong).catch((error: unknown) => error),
      inOwnProcess
        .run(wrong, { signal: new AbortController().signal, onEvent: () => undefined })
        .catch((error: unknown) => error),
      sent(JSON.stringify(wrong)).then(({ last, code }) => {
        expect(code).toBe(exitCodes.output);
        return last?.kind === 'failed' ? QuickcolumnError.fromJSON(last.error) : undefined;
      }),
    ]);
    for (const error of errors) {
      expect(error).toBeInstanceOf(QuickcolumnError);
      const { code, message, fields } = error as QuickcolumnError;
      expect({ code, message, fields }).toEqual({
        code: 'output',
        message: `${join(folder, 'here')} exists and is not empty; choose a new folder`,
        fields: {
          path: join(folder, 'here'),
          options: { resume: 'continue it', force: 'start it anew' },
        },
      });
    }
  });

  it('stops at a signal, keeps what is finished, and goes on', async () => {
    const isEpoch = (event: JobEvent): boolean => event.kind === 'training' && event.progress.kind === 'epoch';
    const long = { ...into('stopped'), config: { ...job.config, train: { ...job.config.train, epochs: 40 } } };
    const { code, last } = await sent(JSON.stringify(long), isEpoch);
    expect(code).toBe(exitCodes.interrupted);
    expect(last).toMatchObject({ kind: 'failed', error: { code: 'interrupted' } });
    const events: JobEvent[] = [];
    const controller = new AbortController();
    const onEvent = (event: JobEvent): void => {
      events.push(event);
      if (isEpoch(event)) controller.abort();
    };
    const again = runJob({ ...long, resume: true }, { signal: controller.signal, onEvent });
    await expect(again).rejects.toMatchObject({ code: 'interrupted' });
    expect(JSON.stringify(events)).toContain('resuming after epoch');
  });

  it.each([
    ['{"kind":', 'config', 'not JSON'],
    ['{"kind":"paint"}', 'config', '"paint" is no kind of job; use one of train, distill, predict'],
    ['{"kind":"evaluate","truth":"a","prediction":"b","out":"c","trth":1}', 'config', 'trth'],
    ['{"kind":"train","out":"c","config":{"profile":"quick","train":{"epochs":-1}}}', 'config', 'train.epochs'],
  ])('is refused where it is wrong: %s', async (json, errorCode, text) => {
    const { code, last } = await sent(json);
    expect(code).toBe(exitCodes.configuration);
    expect(last).toMatchObject({ kind: 'failed', error: { code: errorCode } });
    expect(JSON.stringify(last)).toContain(text.replaceAll('"', '\\"'));
  });
});
