/** Running means of step results, in a fixed order of summation so that a resumed epoch gives the same bits. */
import type { LossSummary } from '../run-folder/history.js';
import type { StepResult } from '../step/step-types.js';

export class LossMean {
  #count = 0;
  #loss = 0;
  #crossEntropy = 0;
  #tversky = 0;
  #softDice: number[] = [];

  add(result: StepResult): void {
    this.#count++;
    this.#loss += result.loss;
    this.#crossEntropy += result.crossEntropy;
    this.#tversky += result.tversky;
    this.#softDice = result.softDice.map((dice, c) => (this.#softDice[c] ?? 0) + dice);
  }

  /** The means so far; at least one result must have been added. */
  summary(): LossSummary {
    return {
      loss: this.#loss / this.#count,
      crossEntropy: this.#crossEntropy / this.#count,
      tversky: this.#tversky / this.#count,
      softDice: this.#softDice.map((dice) => dice / this.#count),
    };
  }
}
