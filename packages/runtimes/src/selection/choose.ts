/**
 * Which runtime executes a graph: the one asked for, or the first of a list that can be used here. Node and browsers choose
 * alike, each among its own. A choice always says why, so that a missing library is seen and not felt as slowness.
 */
import { RuntimeError } from '../contract/errors.js';
import { checkPrecision } from '../contract/precision.js';
import type { OpenOptions, RuntimeProvider } from '../contract/provider.js';
import type { Precision, Runtime } from '../contract/runtime.js';
import { fasterPrecision } from './faster-precision.js';
import { candidatePrecisions, type PrecisionSpeed, type Work } from './precision-speed.js';

export const precisionNames: readonly ['auto', 'float32', 'bfloat16', 'float16'] = [
  'auto',
  'float32',
  'bfloat16',
  'float16',
];
export type PrecisionName = (typeof precisionNames)[number];

export interface RuntimeRequest<Name extends string = string> extends OpenOptions {
  readonly runtime?: 'auto' | Name;
  readonly precision?: PrecisionName;
  /** For what, and how the speeds of a runtime are known; without it `auto` takes the runtime's own precision, unmeasured. */
  readonly measured?: MeasuredSpeeds;
}

export interface MeasuredSpeeds {
  readonly work: Work;
  /** As `measurePrecisions` gives them, now or earlier; asked for only where there is a choice. */
  speedsOf(runtime: Runtime): Promise<readonly PrecisionSpeed[]>;
}

export interface RuntimeChoice {
  readonly runtime: Runtime;
  readonly precision: Precision;
  readonly provider: RuntimeProvider;
  /** Those before it in the list, and why each was not taken; none where it was asked for by name. */
  readonly passedOver: readonly PassedOver[];
  /** One line for people: runtime, version, precision, and why it is this one. */
  readonly reason: string;
}

export interface PassedOver {
  readonly name: string;
  /** Whether it cannot be used here at all, or only not by itself. */
  readonly kind: 'missing' | 'unsuitable';
  readonly why: string;
}

/**
 * With `auto`, what is missing is a reason, not an error. A precision that only one runtime may have is as good as that
 * runtime's name.
 * @param providers in the order in which `auto` tries them
 * @throws RuntimeError when the runtime or the precision that was asked for is not there, or nothing can be used
 */
export async function chooseFrom(
  providers: readonly RuntimeProvider[],
  { runtime: name = 'auto', precision = 'auto', measured, ...options }: RuntimeRequest = {},
): Promise<RuntimeChoice> {
  const wanted = precision === 'auto' ? undefined : precision;
  const open = (provider: RuntimeProvider): Promise<Opened> => openIn(provider, { wanted, measured, options });
  if (name !== 'auto') {
    const provider = providers.find((one) => one.name === name);
    if (provider === undefined) {
      const possible = providers.map((one) => one.name);
      throw new RuntimeError(`there is no runtime ${name}, only ${possible.join(', ')}`, { runtime: name, possible });
    }
    return chosen(provider, await open(provider), { why: 'as asked' });
  }
  const able = providers.filter(({ precisions }) => wanted === undefined || precisions.includes(wanted));
  if (able.length === 1) {
    const [provider] = able;
    const why = wanted === undefined ? 'the only one' : `the only one that may compute in ${wanted}`;
    return chosen(provider, await open(provider), { why });
  }
  const passedOver: PassedOver[] = [];
  for (const provider of providers) {
    const passOver = (kind: PassedOver['kind'], why: string): void =>
      void passedOver.push({ name: provider.name, kind, why });
    if (!able.includes(provider)) {
      passOver('unsuitable', `it computes in ${provider.precisions.join(', ')}`);
      continue;
    }
    try {
      const { notByItself } = await provider.find();
      if (notByItself === undefined) {
        const why = provider.runsOn === 'graphics card' ? 'a graphics card' : 'the fastest here';
        return chosen(provider, await open(provider), { why, passedOver });
      }
      passOver('unsuitable', notByItself);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      passOver('missing', error.message);
    }
  }
  throw new RuntimeError(`no runtime can be used here: ${describe(passedOver)}`, { passedOver });
}

interface Opened {
  readonly runtime: Runtime;
  readonly precision: Precision;
  /** Why it is this precision; absent where there was nothing to choose, or nothing to go by. */
  readonly because?: string;
}

interface Opening {
  readonly wanted: Precision | undefined;
  readonly measured: MeasuredSpeeds | undefined;
  readonly options: OpenOptions;
}

/** @throws RuntimeError as `open` does, and where the machine lacks the precision; nothing stays open then */
async function openIn(provider: RuntimeProvider, { wanted, measured, options }: Opening): Promise<Opened> {
  const runtime = await provider.open(options);
  try {
    checkPrecision(runtime, wanted);
    const [, other] = candidatePrecisions(runtime);
    if (wanted !== undefined || other === undefined || measured === undefined)
      return { runtime, precision: wanted ?? runtime.precision };
    const { precision, why } = fasterPrecision(await measured.speedsOf(runtime), measured.work);
    return { runtime, precision, because: why };
  } catch (error) {
    runtime.close?.();
    throw error;
  }
}

function chosen(
  provider: RuntimeProvider,
  { runtime, precision, because }: Opened,
  { why, passedOver = [] }: { why: string; passedOver?: readonly PassedOver[] },
): RuntimeChoice {
  const whys = [why, ...(passedOver.length === 0 ? [] : [describe(passedOver)])];
  if (because !== undefined) whys.push(`${precision}: ${because}`);
  const reason = `runtime ${runtime.name} ${runtime.version}, ${precision} (${whys.join('; ')})`;
  return { runtime, precision, provider, passedOver, reason };
}

const describe = (passedOver: readonly PassedOver[]): string =>
  passedOver.map(({ name, why }) => `${name}: ${why}`).join('; ');
