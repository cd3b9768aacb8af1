/** The choice among runtimes that are there, missing, unsuitable, or without a precision. */
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../contract/errors.js';
import type { RuntimeProvider } from '../contract/provider.js';
import type { Precision, Runtime } from '../contract/runtime.js';
import { chooseFrom, type MeasuredSpeeds } from './choose.js';
import type { Work } from './precision-speed.js';

interface Made {
  readonly provider: RuntimeProvider;
  closed: number;
}

/** A runtime that is never run. `may` is what its kind computes in, `here` what this machine has of it. */
function made(
  name: string,
  {
    may = ['float32'],
    here = may,
    own = here.at(-1),
    missing,
    notByItself,
    fault,
  }: {
    may?: Precision[];
    here?: Precision[];
    own?: Precision;
    missing?: string;
    notByItself?: string;
    fault?: Error;
  } = {},
): Made {
  const one: Made = {
    closed: 0,
    provider: {
      name,
      title: name,
      runsOn: name === 'card' ? 'graphics card' : 'processor',
      precisions: may,
      installation: '',
      measuresKernels: false,
      async find() {
        if (fault) throw fault;
        if (missing !== undefined) throw new RuntimeError(missing);
        return { version: '1', details: [], ...(notByItself === undefined ? {} : { notByItself }) };
      },
      async open(): Promise<Runtime> {
        if (missing !== undefined) throw new RuntimeError(missing);
        return {
          name,
          version: '1',
          precision: own ?? 'float32',
          precisions: here,
          memory: 'host',
          windowsAtOnce: 1,
          compile: () => Promise.reject(new Error('is not compiled here')),
          close: () => void one.closed++,
        };
      },
    },
  };
  return one;
}

const providersOf = (...list: Made[]): RuntimeProvider[] => list.map(({ provider }) => provider);

describe('auto', () => {
  it('takes the first of the list in its own precision', async () => {
    const fast = made('fast', { may: ['float32', 'bfloat16'] });
    const choice = await chooseFrom(providersOf(fast, made('slow')));
    expect(choice).toMatchObject({ precision: 'bfloat16', passedOver: [], provider: { name: 'fast' } });
    expect(choice.reason).toBe('runtime fast 1, bfloat16 (the fastest here)');
    expect((await chooseFrom(providersOf(made('card'), fast))).reason).toBe(
      'runtime card 1, float32 (a graphics card)',
    );
  });

  it('passes over what is missing and what is not for it, and says both', async () => {
    const list = providersOf(made('card', { notByItself: 'it is played' }), made('fast', { missing: 'no library' }));
    const { reason, passedOver } = await chooseFrom([...list, made('slow').provider]);
    expect(reason).toBe('runtime slow 1, float32 (the fastest here; card: it is played; fast: no library)');
    expect(passedOver.map(({ kind }) => kind)).toEqual(['unsuitable', 'missing']);
  });

  it('takes the next one where the machine lacks the precision, and closes what it opened', async () => {
    const first = made('first', { may: ['float32', 'float16'], here: ['float32'] });
    const second = made('second', { may: ['float32', 'float16'] });
    const third = made('third');
    const { reason } = await chooseFrom(providersOf(first, second, third), { precision: 'float16' });
    expect(reason).toMatch(/^runtime second 1, float16 \(the fastest here; first: first does not compute in float16/);
    expect([first.closed, second.closed]).toEqual([1, 0]);
    const passing = await chooseFrom(providersOf(third, second, first), { precision: 'float16' });
    expect(passing.passedOver).toEqual([{ name: 'third', kind: 'unsuitable', why: 'it computes in float32' }]);
  });

  it('takes the only one that may have a precision as if it was named: fit or not', async () => {
    const list = providersOf(made('card', { may: ['float32', 'float16'], notByItself: 'it is played' }), made('slow'));
    const { reason } = await chooseFrom(list, { precision: 'float16' });
    expect(reason).toBe('runtime card 1, float16 (the only one that may compute in float16)');
    const absent = providersOf(made('card', { may: ['float16'], missing: 'no driver' }), made('slow'));
    await expect(chooseFrom(absent, { precision: 'float16' })).rejects.toThrow('no driver');
  });

  it('is an error with every reason where nothing can be used', async () => {
    const list = providersOf(made('a', { missing: 'no a' }), made('b', { missing: 'no b' }));
    await expect(chooseFrom(list)).rejects.toThrow('no runtime can be used here: a: no a; b: no b');
  });

  it('does not take a fault for an absence', async () => {
    await expect(chooseFrom(providersOf(made('a', { fault: new TypeError('x') }), made('b')))).rejects.toThrow(
      TypeError,
    );
  });
});

describe('measured precisions', () => {
  const fast = (): Made => made('fast', { may: ['float32', 'bfloat16'] });
  const asked: string[] = [];
  const measured = (work: Work, float32: number, bfloat16: number): { measured: MeasuredSpeeds } => ({
    measured: {
      work,
      async speedsOf({ name }) {
        asked.push(name);
        return [
          { precision: 'float32', stepSeconds: float32, predictionSeconds: 1 },
          { precision: 'bfloat16', stepSeconds: bfloat16, predictionSeconds: 1 },
        ];
      },
    },
  });

  it('decide, and the reason has both numbers', async () => {
    const slower = await chooseFrom(providersOf(fast(), made('slow')), measured('training', 0.2, 0.3));
    expect(slower).toMatchObject({ precision: 'float32', provider: { name: 'fast' } });
    expect(slower.reason).toBe(
      'runtime fast 1, float32 (the fastest here; float32: 1.5 times as fast as bfloat16 here: a training step of a small ' +
        'network takes 200 ms in float32, 300 ms in bfloat16)',
    );
    const faster = await chooseFrom(providersOf(fast()), { runtime: 'fast', ...measured('training', 0.3, 0.2) });
    expect(faster.reason).toContain('bfloat16 (as asked; bfloat16: 1.5 times as fast as float32 here');
    expect((await chooseFrom(providersOf(fast()), measured('prediction', 0.3, 0.2))).precision).toBe('float32');
  });

  it('are not asked for where a precision is named, or where the runtime leaves no choice of its own', async () => {
    asked.length = 0;
    const request = measured('training', 0.3, 0.2);
    const named = await chooseFrom(providersOf(fast(), made('slow')), { ...request, precision: 'bfloat16' });
    expect(named.reason).toBe('runtime fast 1, bfloat16 (the only one that may compute in bfloat16)');
    await chooseFrom(providersOf(made('slow')), request);
    const card = made('card', { may: ['float32', 'float16'], own: 'float32' });
    expect((await chooseFrom(providersOf(card), request)).precision).toBe('float32');
    expect(asked).toEqual([]);
  });

  it('that cannot be measured leave nothing open', async () => {
    const one = fast();
    const speedsOf = (): Promise<never> => Promise.reject(new RuntimeError('no memory'));
    const choosing = chooseFrom([one.provider], { measured: { work: 'training', speedsOf } });
    await expect(choosing).rejects.toThrow('no memory');
    expect(one.closed).toBe(1);
  });
});

describe('by name', () => {
  it('opens what auto passes over, and fails where that is missing', async () => {
    const list = providersOf(
      made('slow'),
      made('card', { notByItself: 'it is played' }),
      made('x', { missing: 'no x' }),
    );
    expect((await chooseFrom(list, { runtime: 'card' })).reason).toBe('runtime card 1, float32 (as asked)');
    await expect(chooseFrom(list, { runtime: 'x' })).rejects.toThrow('no x');
    await expect(chooseFrom(list, { runtime: 'y' })).rejects.toThrow('there is no runtime y, only slow, card, x');
  });

  it('refuses a precision, with what is possible, and leaves nothing open', async () => {
    const one = made('slow');
    await expect(chooseFrom([one.provider], { runtime: 'slow', precision: 'bfloat16' })).rejects.toMatchObject({
      code: 'runtime',
      fields: { runtime: 'slow', precision: 'bfloat16', possible: ['float32'] },
    });
    expect(one.closed).toBe(1);
  });
});
