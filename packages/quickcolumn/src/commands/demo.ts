/** `quickcolumn demo`: the whole way without any data: phantoms, training, prediction, evaluation, report. */
import { toTable } from '@quickcolumn/evaluate';
import { formatSeconds } from '@quickcolumn/workflows';
import { Command } from 'commander';
import { wholeNumber } from '../flags/arguments.js';
import { run } from '../terminal/run.js';
import { note, print } from '../terminal/terminal.js';

interface DemoFlags {
  readonly out: string;
  readonly seed: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly force?: boolean;
}

export function demoCommand(): Command {
  return new Command('demo')
    .description('generate phantoms, train on them, predict and evaluate held-out ones (a few minutes)')
    .option('--out <folder>', 'folder for everything the demo makes', 'demo-run')
    .option('--seed <n>', 'seed of phantoms and training', wholeNumber(0), 1)
    .option('--epochs <n>', 'epochs', wholeNumber(1), 16)
    .option('--steps-per-epoch <n>', 'optimiser steps an epoch', wholeNumber(1), 30)
    .option('--force', 'start anew in a folder of an earlier demo')
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn demo
  quickcolumn demo --out /tmp/demo --seed 7 --force`,
    )
    .action(demo);
}

async function demo(flags: DemoFlags): Promise<void> {
  const start = performance.now();
  const { summary, cases, report } = await run({ kind: 'demo', ...flags });
  print(toTable(summary, cases).split('\n'));
  print(`Report: ${report}`);
  note(`demo finished in ${formatSeconds((performance.now() - start) / 1000)}`);
}
