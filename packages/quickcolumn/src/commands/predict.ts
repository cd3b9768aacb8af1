/** `quickcolumn predict`: scans and a model file in, masks on the scans' own grids and their sidecars out. */
import { parseRepair } from '@quickcolumn/dicom';
import type { Size3 } from '@quickcolumn/volume';
import {
  type CaseNaming,
  type ComputeRequest,
  type MaskFormat,
  maskFormats as knownFormats,
  masksWrittenBefore,
  type PredictedFiles,
  type ScanConsent,
  type ScanNaming,
  scanNamings,
} from '@quickcolumn/workflows';
import { Command, Option } from 'commander';
import {
  autotuneOption,
  choiceList,
  positiveNumber,
  precisionOption,
  runtimeOption,
  size3,
  wholeNumber,
} from '../flags/arguments.js';
import { withAnonymousFlags } from '../flags/anonymous-flags.js';
import { withConsentFlags } from '../flags/consent-flags.js';
import { modelPaths, type TestTimeFlags, testTimeOptions, withTestTimeFlags } from '../flags/prediction-flags.js';
import { run } from '../terminal/run.js';
import { print } from '../terminal/terminal.js';

interface PredictFlags extends TestTimeFlags, ComputeRequest, CaseNaming, ScanConsent {
  /** A file, or the files of an ensemble separated by commas. */
  readonly model?: string;
  readonly out: string;
  readonly probabilities?: boolean;
  readonly disagreement?: boolean;
  readonly minimumLesion?: number;
  readonly patch?: Size3;
  readonly overlap?: Size3;
  readonly threads?: number;
  readonly ignoreMemory?: boolean;
  readonly ignoreSpace?: boolean;
  readonly force?: boolean;
  readonly skipExisting?: boolean;
  readonly name?: string;
  readonly nameBy?: ScanNaming;
  readonly format?: readonly MaskFormat[];
  readonly series?: string;
  readonly repair?: string;
}

export function predictCommand(): Command {
  const predict = new Command('predict')
    .description('segment scans with a trained model')
    .argument('<input...>', 'scans (NIfTI, NRRD, MetaImage) or folders of them; DICOM folders, zip archives or files')
    .option(
      '--model <model.onnx>',
      'model file, as train writes it, or its run folder; several, separated by commas, are averaged; an ONNX model of ' +
        'PyTorch, nnU-Net or MONAI needs its settings beside it (model.onnx.json; without them you get a template) ' +
        '(default: covid19-ct, the pretrained model, CC BY-NC-SA 4.0)',
    )
    .requiredOption('--out <path>', 'folder for the masks, or a file for a single scan: .nii.gz, .nrrd, .mha, .dcm')
    .option(
      '--format <list>',
      'formats of the mask, separated by commas: nifti, nrrd, metaimage, seg (DICOM segmentation, for DICOM scans)',
      choiceList(knownFormats),
    )
    .option('--series <uid or number>', 'which DICOM series, where a folder holds several usable ones')
    .option('--repair <list>', 'repair a DICOM series, e.g. missing=interpolate,tilt=shear', checkedRepair)
    .option('--probabilities', 'also write the probability of each class (float32 NIfTI)')
    .option('--disagreement', 'also write a map of where windows, mirrored copies and models disagree (float32 NIfTI)')
    .option('--minimum-lesion <ml>', 'smallest lesion that is counted in NAME.json (default: 0.05)', positiveNumber)
    .option('--gaussian', 'weigh the centre of each window more than its rim')
    .option('--patch <x,y,z>', 'window in voxels, multiples of 16 (default: the model’s)', size3)
    .option('--overlap <x,y,z>', 'overlap of windows in voxels (default: the model’s)', size3)
    .addOption(runtimeOption())
    .addOption(precisionOption())
    .addOption(autotuneOption())
    .option('--threads <n>', 'CPU threads of the network (default: all)', wholeNumber(1))
    .option('--ignore-memory', 'start even if the estimate is above the available memory')
    .option('--ignore-space', 'start even if the disk may have too little space for the results')
    .option('--force', 'replace existing masks')
    .option('--skip-existing', 'leave masks that are complete and of the same scan, model and options')
    .option('--name <name>', 'name of the results of a single scan (default: that of its file or folder)')
    .addOption(
      new Option('--name-by <what>', 'name results by the path, or DICOM series by their UID').choices(scanNamings),
    )
    .addHelpText(
      'after',
      `
Beside each mask NAME.nii.gz a NAME.json names every class and the model, and tells volume, infected share of each lung,
number and mean HU of the lesions. NAME is that of the scan's file or folder: where it tells whose scan it is, use --name,
--name-by series or --anonymize. A DICOM segmentation NAME.seg.dcm holds what identifies the patient in the source, so
that archives can file it; nothing else that is written does.

What speaks against a mask is told as a warning, and under doubts in NAME.json: look at such a mask before you use it.

A scan that cannot be predicted does not keep the others from it: what failed is listed at the end, with exit code 3.

Examples:
  quickcolumn predict scan.nii.gz --out masks
  quickcolumn predict --model run/model.onnx scan.nii.gz --out mask.nii.gz
  quickcolumn predict --model run/model.onnx ct/ --out masks/ --probabilities
  quickcolumn predict --model run/model.onnx dicom-folder/ --out masks/ --format nifti,seg
  quickcolumn predict --model fold1/model.onnx,fold2/model.onnx ct/ --out masks/ --mirror x,y,z
  quickcolumn predict --model run/model.onnx ct/ --out masks/ --keep-largest 1,2 --minimum-volume infection=0.05`,
    )
    .action(predictAction);
  return withAnonymousFlags(withConsentFlags(withTestTimeFlags(predict)));
}

async function predictAction(inputs: string[], flags: PredictFlags): Promise<void> {
  const { out, model, format, minimumLesion, probabilities, patch, overlap, threads, ignoreMemory, force } = flags;
  const { ignoreSpace, skipExisting, name, nameBy, anonymize, anonymizeKey } = flags;
  const { series, repair, accept, assumeOrientation, assumeUnits, runtime, precision, autotune } = flags;
  const show = (scans: readonly PredictedFiles[]): void => {
    for (const { masks } of scans) for (const mask of masks) print(mask);
  };
  const job = {
    kind: 'predict',
    inputs,
    model: model === undefined ? undefined : modelPaths(model),
    out,
    formats: format,
    probabilities,
    disagreement: flags.disagreement,
    minimumLesionMl: minimumLesion,
    patch,
    overlap,
    ...testTimeOptions(flags),
    threads,
    ignoreMemory,
    ignoreSpace,
    force,
    skipExisting,
    name,
    nameBy,
    anonymize,
    anonymizeKey,
    series,
    repair,
    accept,
    assumeOrientation,
    assumeUnits,
    runtime,
    precision,
    autotune,
  } as const;
  try {
    show((await run(job, 'the same command and --skip-existing')).scans);
  } catch (error) {
    show(masksWrittenBefore(error));
    throw error;
  }
}

/** The text as it is, once it is known to name repairs that exist. */
function checkedRepair(text: string): string {
  parseRepair(text);
  return text;
}
