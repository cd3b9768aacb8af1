/** A training in a process of its own, for the test that kills it: `node killed-training.test.helpers.js RUN_FOLDER`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LogisticStep, SeededSamples, smallConfig, validationCase } from './logistic-step.test.helpers.js';
import { train } from './trainer.js';

class SlowStep extends LogisticStep {
  override async run(...args: Parameters<LogisticStep['run']>): ReturnType<LogisticStep['run']> {
    await sleep(4);
    return super.run(...args);
  }
}

await train({
  config: smallConfig,
  cases: { train: [{ name: 'a' }], validation: [validationCase('v', 1000)] },
  step: new SlowStep(),
  evaluation: new LogisticStep(),
  openSamples: (startStep) => new SeededSamples(startStep),
  runFolder: process.argv[2],
  resume: true,
  // Within epochs, too.
  saveEverySeconds: 0.01,
  onProgress: () => process.stdout.write('.'),
});
