/**
 * `quickcolumn demo`: the whole way without any data. Chest phantoms are generated, a small QC-HC U-Net is trained on
 * eight of them, and three held-out ones are predicted and evaluated.
 */
import { makeFolder } from '@quickcolumn/io';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { toTable } from '@quickcolumn/evaluate';
import { parseTrainConfig, readHistory } from '@quickcolumn/learn';
import { writePhantomCases } from '@quickcolumn/phantom';
import { Command } from 'commander';
import { wholeNumber } from '../arguments.js';
import { evaluateCases, writeEvaluation } from '../evaluation.js';
import { checkOutputFolder, exists, OutputError } from '../outputs.js';
import { runFiles } from '../run-folder.js';
import { formatSeconds, note, print, progressLine, secondsSince } from '../terminal.js';
import { runTraining } from '../training-run.js';
import { toYaml } from '../yaml.js';
import { predictFiles } from './predict.js';

const trainCases = 8;
const heldOutCases = 3;
/** Marks a folder as the demo's own, so that --force never clears another one. */
const marker = '.quickcolumn-demo';
const folders = ['data', 'cache', 'run', 'masks', 'evaluation'] as const;

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
  const { out, seed } = flags;
  const start = performance.now();
  await claimFolder(out, flags.force ?? false);

  const line = progressLine('phantoms');
  const cases = await writePhantomCases(join(out, 'data'), trainCases + heldOutCases, seed, {
    onCase: (done, total) => line.update(`${done} of ${total}`, done / total),
  });
  line.end(`${cases.length} chest phantoms in ${join(out, 'data')}`);
  const heldOut = cases.slice(trainCases);

  const config = parseTrainConfig(
    {
      profile: 'quick',
      seed,
      data: {
        images: resolve(out, 'data', 'ct'),
        labels: resolve(out, 'data', 'labels'),
        holdOut: heldOut.map(({ name }) => name),
        split: { kind: 'fraction', validation: 0.125 },
      },
      preparation: { spacingMm: [4, 4, 5] },
      network: { rootFilters: 8 },
      train: {
        patch: [64, 64, 32],
        epochs: flags.epochs,
        stepsPerEpoch: flags.stepsPerEpoch,
        learningRate: 2e-3,
        // A slow machine stops early instead of taking longer than the promised five minutes.
        maxMinutes: 3.25,
      },
      predict: { overlap: [32, 32, 16] },
    },
    'demo',
  );
  const run = join(out, 'run');
  await runTraining(config, run, {
    cacheDir: join(out, 'cache'),
    resume: false,
    evaluateValidation: false,
    notes: 'Trained on generated phantoms, for demonstration only. Research use only, not a medical device.',
  });

  const masks = join(out, 'masks');
  await predictFiles(
    heldOut.map(({ imagePath }) => imagePath),
    { model: join(run, runFiles.model), out: masks },
  );
  const { classes } = config.preparation;
  const evaluation = await evaluateCases(
    heldOut.map(({ name, imagePath, labelPath }) => ({
      name,
      imagePath,
      truthPath: labelPath,
      predictionPath: join(masks, `${name}.nii.gz`),
    })),
    classes,
  );
  await writeEvaluation(join(out, 'evaluation'), evaluation, {
    title: 'Quickcolumn demo',
    subtitle: `${heldOutCases} held-out phantoms, seed ${seed}`,
    config: toYaml(config),
    classes,
    history: await readHistory(join(run, runFiles.history)),
  });
  print(toTable(evaluation.summary, evaluation.cases));
  print(`Report: ${resolve(out, 'evaluation', 'report.html')}`);
  note(`demo finished in ${formatSeconds(secondsSince(start))}`);
}

async function claimFolder(out: string, force: boolean): Promise<void> {
  await checkOutputFolder(out, force);
  const used = (await exists(out)) && (await readdir(out)).length > 0;
  if (used && !(await exists(join(out, marker)))) {
    throw new OutputError(`${out} is not the folder of an earlier demo; choose another --out`, out);
  }
  for (const folder of folders) await rm(join(out, folder), { recursive: true, force: true });
  await makeFolder(out);
  await writeFile(join(out, marker), 'made by quickcolumn demo\n');
}
