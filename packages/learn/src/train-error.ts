/** The ways a training refuses to start or has to stop, each with a stable code. */
import { type ErrorFields, QuickcolumnError } from '@quickcolumn/errors';

/** A training that cannot start or go on with what it was given (code `train`). */
export class TrainError extends QuickcolumnError {
  constructor(message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super('train', message, fields, options);
  }
}

export interface DivergenceFields {
  /** What is not finite: `loss`, `validation loss` or the name of a variable. */
  readonly what: string;
  readonly epoch: number;
  readonly step: number;
  readonly learningRate: number;
  /** Last epoch whose checkpoint is on the disk. */
  readonly keptEpoch: number;
}

/** The loss or a weight became NaN or infinite (code `diverged`); the last good checkpoint is kept. */
export class TrainingDivergedError extends QuickcolumnError {
  constructor(fields: DivergenceFields) {
    const { what, epoch, step, learningRate, keptEpoch } = fields;
    super(
      'diverged',
      `${what} is not finite at epoch ${epoch}, step ${step} (learning rate ${learningRate}); the checkpoint of epoch ` +
        `${keptEpoch} is kept. Train again with a lower train.learningRate (try ${learningRate / 10})`,
      { ...fields },
    );
  }
}
