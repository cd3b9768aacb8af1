import { expect, it } from 'vitest';
import { advanceStopper } from './early-stop.js';

it('the stopper counts epochs since the best loss', () => {
  const waits: number[] = [];
  let state: ReturnType<typeof advanceStopper> = { best: null, wait: 0 };
  for (const loss of [3, 2, 2, 2.5, 1.9999, 2]) {
    state = advanceStopper(state, loss);
    waits.push(state.wait);
  }
  expect(waits).toEqual([0, 0, 1, 2, 0, 1]);
});
