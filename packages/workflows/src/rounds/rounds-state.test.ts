import { type CaseSplit, type ListedCase, type Split, splitCases } from '@quickcolumn/cases';
import { describe, expect, it } from 'vitest';
import {
  casesOfRound,
  chooseBatch,
  parseRounds,
  type RoundsState,
  startRounds,
  toPredict,
  withCorrections,
  withNextRound,
  withRound,
} from './rounds-state.js';

const one = (name: string, more: { label?: boolean; split?: CaseSplit; patient?: string } = {}): ListedCase => ({
  name,
  imagePath: `/ct/${name}.nii`,
  ...((more.label ?? false) && { labelPath: `/labels/${name}.nii` }),
  patient: more.patient ?? name,
  split: more.split ?? 'train',
});

/** The last labelled case is validation. */
const divide = (cases: readonly ListedCase[]): Split<ListedCase> => ({
  train: cases.slice(0, -1),
  test: cases.slice(-1),
});

const listed = [
  one('u3'),
  one('a', { label: true }),
  one('u1'),
  one('b', { label: true }),
  one('c', { label: true }),
  one('twin', { patient: 'b' }),
  one('u2'),
  one('t', { split: 'test' }),
  one('t-twin', { patient: 't' }),
];

const start = (more: Partial<Parameters<typeof startRounds>[1]> = {}): RoundsState =>
  startRounds(listed, { scans: 2, order: 'given', divide, ...more });

const uses = (state: RoundsState): string[] => state.cases.map(({ name, use, since }) => `${name} ${use} ${since}`);

describe('rounds', () => {
  it('begin with the labelled cases; patients of validation and test are set aside', () => {
    expect(uses(start())).toEqual([
      'u3 waiting 0', 'a train 1', 'u1 waiting 0', 'b train 1', 'c validation 0', 'twin waiting 0', 'u2 waiting 0',
      't test 0', 't-twin aside 0',
    ]); // biome-ignore format: a list
    expect(uses(start({ first: 2 }))).toEqual([
      'u3 waiting 0', 'a train 1', 'u1 waiting 0', 'b validation 0', 'c train 2', 'twin aside 0', 'u2 waiting 0',
      't test 0', 't-twin aside 0',
    ]); // biome-ignore format: a list
  });

  it('take the next scans in the order of the list, or the least certain of all', () => {
    expect(chooseBatch(start())).toEqual(['u3', 'u1']);
    expect(toPredict(start())).toHaveLength(2);
    const uncertain = start({ order: 'uncertain' });
    expect(toPredict(uncertain).map(({ name }) => name)).toEqual(['u3', 'u1', 'twin', 'u2']);
    const entropy = { u3: 0.1, u1: 0.3, twin: 0.1, u2: 0.2 };
    expect(chooseBatch(withRound(uncertain, { entropy }))).toEqual(['u1', 'u2']);
    expect(chooseBatch(withRound(uncertain, { entropy: { u3: 1, u1: 1, twin: 1, u2: 1 } }))).toEqual(['u3', 'u1']);
  });

  it('train on what was corrected so far, with the same validation in every round', () => {
    let state = withNextRound(withRound(start({ first: 2 }), { stage: 'trained' }));
    expect(state.rounds).toHaveLength(2);
    const correction = { changedVoxels: 1, changedMl: 0.1, dice: {} };
    state = withCorrections(state, [{ name: 'u3', ...correction }, { name: 'u1', ...correction }]); // biome-ignore format: short
    const names = (round: number): string => casesOfRound(state, round).map(({ name }) => name).join(' '); // biome-ignore format: short
    expect(names(1)).toBe('a b');
    expect(names(2)).toBe('u3 a u1 b c');
    state = withNextRound(state);
    expect(chooseBatch(state)).toEqual(['u2']);
    const done = withCorrections(state, [{ name: 'u2', ...correction }]);
    expect(names(2)).toBe('u3 a u1 b c');
    expect(withNextRound(done)).toBe(done);
    expect(parseRounds(JSON.stringify(done), 'state.json')).toEqual(done);
  });

  it('refuse what they cannot begin with', () => {
    expect(() => start({ first: 4 })).toThrow('3 labelled cases to train on, fewer than the first 4');
    const labelled = listed.filter(({ labelPath }) => labelPath !== undefined);
    expect(() => startRounds(labelled, { scans: 1, order: 'given', divide })).toThrow('nothing is left to predict');
    const bare = [...listed, one('v', { split: 'validation' })];
    expect(() => startRounds(bare, { scans: 1, order: 'given', divide })).toThrow('v is of the split validation');
    const seeded = (cases: readonly ListedCase[]): Split<ListedCase> => splitCases(cases, { seed: 1 });
    expect(() => start({ first: 1, divide: seeded })).toThrow('at least 2 patients');
  });

  it.each([
    ['no JSON', '{'],
    ['another format', '{"format": "x"}'],
    ['a name that is a path', JSON.stringify({ ...start(), cases: [{ ...start().cases[0], name: '../x' }] })],
    ['an unknown key', JSON.stringify({ ...start(), more: 1 })],
    ['no round', JSON.stringify({ ...start(), rounds: [] })],
  ])('a state with %s is damaged', (_what, text) => {
    expect(() => parseRounds(text, 'out/state.json')).toThrow(/^out\/state\.json: is not the state .* put a copy/);
  });

  it('refuse the state of a newer version by name', () => {
    const newer = JSON.stringify({ ...start(), version: 2 });
    expect(() => parseRounds(newer, 'out/state.json')).toThrow(
      'out/state.json: made by a newer version of quickcolumn (format 2, this one reads up to 1)',
    );
  });
});
