/** Running means of step results, in a fixed order of summation so that a resumed epoch gives the same bits. */
import type { LossSummary } from '../run-folder/history.js';
import type { StepResult } from '../step/step-types.js';

/** The sums so far, as JSON holds them exactly. `count` is the sum of the weights. */
export interface LossSums extends LossSummary {
  readonly count: number;
}

export class LossMean {
  #sums: LossSums = { count: 0, loss: 0, crossEntropy: 0, tversky: 0, softDice: [] };

  /** Goes on from `sums`. */
  constructor(sums?: LossSums) {
    if (sums !== undefined) this.#sums = sums;
  }

  /** @param weight how much the result counts; 1 for a full batch */
  add(result: StepResult, weight: number = 1): void {
    const { count, loss, crossEntropy, tversky, softDice } = this.#sums;
    this.#sums = {
      count: count + weight,
      loss: loss + weight * result.loss,
      crossEntropy: crossEntropy + weight * result.crossEntropy,
      tversky: tversky + weight * result.tversky,
      softDice: result.softDice.map((dice, c) => (softDice[c] ?? 0) + weight * dice),
    };
  }

  get sums(): LossSums {
    return this.#sums;
  }

  /** The means so far; at least one result must have been added. */
  summary(): LossSummary {
    const { count, loss, crossEntropy, tversky, softDice } = this.#sums;
    return {
      loss: loss / count,
      crossEntropy: crossEntropy / count,
      tversky: tversky / count,
      softDice: softDice.map((dice) => dice / count),
    };
  }
}
