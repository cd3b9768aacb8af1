/**
 * The state of training in rounds with a person in the loop (Shan et al., "Lung infection quantification of COVID-19 in
 * CT images with deep learning", arXiv:2003.04655, 2020): a model of the first few labelled scans predicts the
 * next ones, a person corrects them, all together train the next model, and so on.
 *
 * This is the record and its rules alone: which scans are next, which are trained on, what may follow what. The trap is validation: its cases are chosen once and stay the same in all rounds,
 * or a round would be judged on what an earlier one was trained on.
 */
import { DatasetError, type ListedCase, type Split } from '@quickcolumn/cases';
import { parseRecord } from '@quickcolumn/learn';
import { z } from 'zod';

/** What a case of the list is for: `waiting` to be predicted and corrected, `aside` and `test` never used. */
type RoundUse = 'train' | 'validation' | 'waiting' | 'test' | 'aside';

export interface RoundCase {
  readonly name: string;
  readonly image: string;
  /** Of the list; corrected ones lie in the folder of the rounds. */
  readonly label: string | null;
  readonly patient: string;
  readonly use: RoundUse;
  /** Round from which on a labelled or corrected case is trained on; 0 for the others. */
  readonly since: number;
}

/** What a person had to change in a prediction. */
export interface Correction {
  readonly name: string;
  readonly changedVoxels: number;
  readonly changedMl: number;
  /** Dice of prediction and correction by class name; null where neither has the class. */
  readonly dice: Readonly<Record<string, number | null>>;
}

/** `predict`: scans are being predicted; `correct`: it is the person's turn; then `train` and `trained`. */
type RoundStage = 'predict' | 'correct' | 'train' | 'trained';

export interface Round {
  readonly stage: RoundStage;
  /** Mean entropy of the scans predicted so far, by name. */
  readonly entropy: Readonly<Record<string, number>>;
  /** Names of the scans to correct. */
  readonly batch: readonly string[];
  readonly corrections: readonly Correction[];
}

export interface RoundsState {
  readonly format: 'quickcolumn-rounds';
  readonly version: 1;
  readonly options: {
    /** Scans to correct in each round. */
    readonly scans: number;
    /** In the order of the list, or the least certain ones first. */
    readonly order: 'given' | 'uncertain';
  };
  readonly cases: readonly RoundCase[];
  /** Round 1 first; the last one is under way. */
  readonly rounds: readonly Round[];
}

const use = z.enum(['train', 'validation', 'waiting', 'test', 'aside']);
const whole = z.int().min(0);

const stateSchema: z.ZodType<RoundsState> = z.strictObject({
  format: z.literal('quickcolumn-rounds'),
  version: z.literal(1),
  options: z.strictObject({ scans: whole.min(1), order: z.enum(['given', 'uncertain']) }),
  cases: z
    .array(
      z.strictObject({
        // Names become file names.
        name: z.string().regex(/^[^./\\][^/\\]*$/),
        image: z.string().min(1),
        label: z.string().min(1).nullable(),
        patient: z.string(),
        use,
        since: whole,
      }),
    )
    .min(1),
  rounds: z
    .array(
      z.strictObject({
        stage: z.enum(['predict', 'correct', 'train', 'trained']),
        entropy: z.record(z.string(), z.number()),
        batch: z.array(z.string()),
        corrections: z.array(
          z.strictObject({
            name: z.string(),
            changedVoxels: whole,
            changedMl: z.number().min(0),
            dice: z.record(z.string(), z.number().nullable()),
          }),
        ),
      }),
    )
    .min(1),
});

/** @throws DatasetError when the text is no state, or a damaged one; `path` is what the message calls it */
export function parseRounds(text: string, path: string): RoundsState {
  const damaged = 'is not the state of training rounds, or is damaged; put a copy of it back';
  return parseRecord(text, { schema: stateSchema, steps: [] }, (problem = damaged, cause) => {
    return new DatasetError(`${path}: ${problem}`, { path }, { cause });
  });
}

/**
 * The state before round 1.
 *
 * @param listed in the order of the list
 * @param options.first train round 1 on the first N labelled cases alone; the others join in round 2
 * @param options.divide which of the cases of round 1 are validation for good
 * @throws DatasetError when there are fewer labelled cases than `first`, or none is left to predict
 */
export function startRounds(
  listed: readonly ListedCase[],
  options: RoundsState['options'] & {
    readonly first?: number;
    readonly divide: (cases: readonly ListedCase[]) => Split<ListedCase>;
  },
): RoundsState {
  const { first, divide, scans, order } = options;
  const bare = listed.find(({ split, labelPath }) => split === 'validation' && labelPath === undefined);
  if (bare !== undefined) throw new DatasetError(`${bare.name} is of the split validation and has no label; add one`);
  const labelled = listed.filter(({ split, labelPath }) => split !== 'test' && labelPath !== undefined);
  const trainable = labelled.filter(({ split }) => split !== 'validation');
  if (first !== undefined && trainable.length < first) {
    throw new DatasetError(
      `the list has ${trainable.length} labelled cases to train on, fewer than the first ${first}; label more or ask for fewer`,
    );
  }
  const early = new Set(trainable.slice(0, first ?? trainable.length).map(({ name }) => name));
  const { test } = divide(labelled.filter(({ name, split }) => split === 'validation' || early.has(name)));
  const validation = new Set(test.map(({ name }) => name));
  // Other scans of a validation or test patient would teach what is measured.
  const held = new Set(
    listed.filter(({ name, split }) => split === 'test' || validation.has(name)).map(({ patient }) => patient),
  );
  const useOf = ({ name, patient, split, labelPath }: ListedCase): RoundUse => {
    if (split === 'test') return 'test';
    if (validation.has(name)) return 'validation';
    if (held.has(patient)) return 'aside';
    return labelPath === undefined ? 'waiting' : 'train';
  };
  const cases = listed.map((entry): RoundCase => {
    const { name, imagePath: image, labelPath: label = null, patient } = entry;
    const role = useOf(entry);
    const since = role === 'train' ? (early.has(name) ? 1 : 2) : 0;
    return { name, image, label, patient, use: role, since };
  });
  if (!cases.some(({ since }) => since === 1)) {
    throw new DatasetError('no labelled case is left to train round 1 on; label at least two patients');
  }
  if (!cases.some((entry) => entry.use === 'waiting')) {
    throw new DatasetError(
      'every case has a label, or is set aside: nothing is left to predict and correct; use train',
    );
  }
  return {
    format: 'quickcolumn-rounds',
    version: 1,
    options: { scans, order },
    cases,
    rounds: [{ stage: 'train', entropy: {}, batch: [], corrections: [] }],
  };
}

/** The scans that a round has to predict before its batch can be chosen. */
export function toPredict(state: RoundsState): RoundCase[] {
  const waiting = state.cases.filter(({ use: role }) => role === 'waiting');
  return state.options.order === 'uncertain' ? waiting : waiting.slice(0, state.options.scans);
}

/** Names of the scans to correct: the first ones of the list, or those with the largest mean entropy. */
export function chooseBatch(state: RoundsState): string[] {
  const { entropy } = currentRound(state);
  const candidates = toPredict(state).map(({ name }) => name);
  // The sort is stable: the order of the list decides between equals.
  if (state.options.order === 'uncertain') candidates.sort((a, b) => (entropy[b] ?? 0) - (entropy[a] ?? 0));
  return candidates.slice(0, state.options.scans);
}

/** The round under way. */
export function currentRound({ rounds }: RoundsState): Round {
  return rounds[rounds.length - 1];
}

/** The state with changes in the round under way. */
export function withRound(state: RoundsState, changes: Partial<Round>): RoundsState {
  return { ...state, rounds: [...state.rounds.slice(0, -1), { ...currentRound(state), ...changes }] };
}

/** After the person: corrected cases are trained on from this round on. */
export function withCorrections(state: RoundsState, corrections: readonly Correction[]): RoundsState {
  const corrected = new Set(corrections.map(({ name }) => name));
  const cases = state.cases.map(
    (entry): RoundCase => (corrected.has(entry.name) ? { ...entry, use: 'train', since: state.rounds.length } : entry),
  );
  return withRound({ ...state, cases }, { stage: 'train', corrections });
}

/** After training: the next round, or the same state where no scan waits. */
export function withNextRound(state: RoundsState): RoundsState {
  if (!state.cases.some(({ use: role }) => role === 'waiting')) return state;
  return { ...state, rounds: [...state.rounds, { stage: 'predict', entropy: {}, batch: [], corrections: [] }] };
}

/** Cases that a round is trained and validated on. */
export function casesOfRound(state: RoundsState, round: number): RoundCase[] {
  return state.cases.filter(
    ({ use: role, since }) => role === 'validation' || (role === 'train' && since >= 1 && since <= round),
  );
}
