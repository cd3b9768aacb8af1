import { profiles, type StepProgress } from '@quickcolumn/learn';
import { describe, expect, it } from 'vitest';
import { lengthWarning } from './length-warning.js';

const { paper, quick } = profiles;

/** What is said of a session whose steps take so long, and after how many seconds it is said. */
function session(
  train: Parameters<typeof lengthWarning>[0],
  secondsOf: (step: number) => number,
  { count = 400, from = 0 }: { readonly count?: number; readonly from?: number } = {},
): { readonly said: string[]; readonly atSeconds: number[] } {
  const said: string[] = [];
  const atSeconds: number[] = [];
  let seconds = 0;
  const listener = lengthWarning(train, (text) => {
    said.push(text);
    atSeconds.push(seconds);
  });
  const { epochs, stepsPerEpoch } = train;
  for (let n = 1; n <= count; n++) {
    seconds += secondsOf(n);
    const done = from + n;
    const progress: StepProgress = {
      kind: 'step',
      epoch: Math.ceil(done / stepsPerEpoch),
      epochs,
      step: ((done - 1) % stepsPerEpoch) + 1,
      stepsPerEpoch,
      training: { loss: 1, crossEntropy: 1, tversky: 1, softDice: [] },
      learningRate: 1e-4,
      secondsPerStep: seconds / n,
      waitedShare: 0,
      etaSeconds: 0,
    };
    listener(progress);
  }
  return { said, atSeconds };
}

describe('lengthWarning', () => {
  it('tells of the paper’s training on two cores after two steps of 35 s, once', () => {
    const { said, atSeconds } = session(paper.train, () => 35);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('needs about 18 days here (44998 steps of 35 s are left)');
    expect(said[0]).toContain('profile quick');
    expect(atSeconds[0]).toBeLessThanOrEqual(120);
  });

  it('does not take a slow first step for the speed of all', () => {
    // 45 000 steps of 0.3 s: 4 hours, though the first one took 30 s.
    expect(session(paper.train, (n) => (n === 1 ? 30 : 0.3)).said).toEqual([]);
    expect(session(paper.train, (n) => (n === 1 ? 30 : 4)).said[0]).toContain('about 2.1 days');
  });

  it('does not wait for a second step where one takes minutes', () => {
    const { said, atSeconds } = session(paper.train, () => 300, { count: 1 });
    expect(said[0]).toContain('about 156 days here (44999 steps of 300 s');
    expect(atSeconds).toEqual([300]);
  });

  it('is silent below a day, and where the user has set a limit', () => {
    expect(session(quick.train, () => 3).said).toEqual([]);
    expect(session({ ...paper.train, epochs: 100 }, () => 5.7).said).toEqual([]);
    expect(session({ ...paper.train, epochs: 100 }, () => 5.9).said).toHaveLength(1);
    expect(session({ ...paper.train, maxMinutes: 60 }, () => 35).said).toEqual([]);
  });

  it('counts what is left of a resumed training, and says that it may stop early', () => {
    expect(session(paper.train, () => 35, { from: 44_000, count: 900 }).said).toEqual([]);
    const { said } = session(profiles.mueller.train, () => 35, { from: 100_000, count: 10 });
    expect(said[0]).toContain('are left, unless it stops early)');
  });
});
