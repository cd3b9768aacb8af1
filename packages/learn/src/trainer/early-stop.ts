/** How long the training loss has not been better, for stopping early; plain JSON. */

/** Epochs since the training loss was last at its best. */
export interface StopperState {
  readonly best: number | null;
  readonly wait: number;
}

export function advanceStopper(state: StopperState, trainingLoss: number): StopperState {
  if (state.best === null || trainingLoss < state.best) return { best: trainingLoss, wait: 0 };
  return { best: state.best, wait: state.wait + 1 };
}
