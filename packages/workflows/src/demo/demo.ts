/**
 * The whole way without any data. Chest phantoms are generated, a small QC-HC U-Net is trained on eight of them, and three
 * held-out ones are predicted and evaluated.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { makeFolder } from '@quickcolumn/io';
import { parseTrainConfig, readHistory } from '@quickcolumn/learn';
import { writePhantomCases } from '@quickcolumn/phantom';
import type { JobContext } from '../context.js';
import { evaluateCases, writeEvaluation } from '../evaluate/evaluation.js';
import { checkOutputFolder, entriesOf, exists, OutputError } from '../folders/outputs.js';
import { runFiles } from '../folders/run-folder.js';
import { toYaml } from '../folders/yaml.js';
import type { DemoJob, DemoJobResult } from '../jobs/prepare.js';
import { predictScans } from '../predict/predict-scans.js';
import { volumeInput } from '../scans/scan-inputs.js';
import { trainInto } from '../train/run-training.js';

const trainCases = 8;
const heldOutCases = 3;
/** Marks a folder as the demo's own, so that another one is never cleared. */
const marker = '.quickcolumn-demo';
const folders = ['data', 'cache', 'run', 'masks', 'evaluation'] as const;

export async function runDemo(job: DemoJob, context: JobContext): Promise<DemoJobResult> {
  const { out, seed = 1, epochs = 16, stepsPerEpoch = 30, force = false } = job;
  await claimFolder(out, force);

  const task = context.begin('phantoms');
  const cases = await writePhantomCases(join(out, 'data'), trainCases + heldOutCases, seed, {
    onCase: (done, total) => task.update(`${done} of ${total}`, done, total),
  });
  task.end(`${cases.length} chest phantoms in ${join(out, 'data')}`);
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
        epochs,
        stepsPerEpoch,
        learningRate: 2e-3,
        // A slow machine stops early instead of taking longer than the promised five minutes.
        maxMinutes: 3.25,
      },
      predict: { overlap: [32, 32, 16] },
    },
    'demo',
  );
  const run = join(out, 'run');
  const notes = 'Trained on generated phantoms, for demonstration only. Research use only, not a medical device.';
  const training = { kind: 'train', config, out: run, cacheDir: join(out, 'cache'), notes } as const;
  await trainInto({ ...training, evaluateValidation: false }, false, context);

  const masks = join(out, 'masks');
  const model = join(run, runFiles.model);
  const scans = heldOut.map(({ name, imagePath }) => volumeInput(name, imagePath));
  await predictScans(scans, { model, out: masks }, context);
  const { classes } = config.preparation;
  const evaluation = await evaluateCases(
    heldOut.map(({ name, imagePath, labelPath }) => ({
      name,
      imagePath,
      truthPath: labelPath,
      predictionPath: join(masks, `${name}.nii.gz`),
    })),
    { classes },
    context,
  );
  await writeEvaluation(join(out, 'evaluation'), evaluation, {
    title: 'Quickcolumn demo',
    subtitle: `${heldOutCases} held-out phantoms, seed ${seed}`,
    config: toYaml(config),
    classes,
    history: await readHistory(join(run, runFiles.history)),
  });
  const { summary, cases: metrics } = evaluation;
  return { summary, cases: metrics, report: resolve(out, 'evaluation', 'report.html'), model };
}

async function claimFolder(out: string, force: boolean): Promise<void> {
  await checkOutputFolder(out, force);
  const used = (await entriesOf(out)).length > 0;
  if (used && !(await exists(join(out, marker)))) {
    throw new OutputError(`${out} is not the folder of an earlier demo; choose another folder`, out);
  }
  for (const folder of folders) await rm(join(out, folder), { recursive: true, force: true });
  await makeFolder(out);
  await writeFile(join(out, marker), 'made by quickcolumn demo\n');
}
