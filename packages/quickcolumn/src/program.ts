/** The command tree: one file per command in commands/, with settings they share. */
import { Command } from 'commander';
import { compareCommand } from './commands/compare.js';
import { configCommand } from './commands/config.js';
import { crossValidateCommand } from './commands/cross-validate.js';
import { datasetCommand } from './commands/dataset/dataset.js';
import { distillCommand } from './commands/distill.js';
import { demoCommand } from './commands/demo.js';
import { dicomCommand } from './commands/dicom.js';
import { doctorCommand } from './commands/doctor.js';
import { evaluateCommand } from './commands/evaluate.js';
import { networksCommand } from './commands/networks.js';
import { predictCommand } from './commands/predict.js';
import { roundsCommand } from './commands/rounds.js';
import { semiSupervisedCommand } from './commands/semi-supervised.js';
import { planCommand } from './commands/plan.js';
import { prepareCommand } from './commands/prepare.js';
import { pseudoLabelCommand } from './commands/pseudo-label.js';
import { trainCommand } from './commands/train.js';
import { version } from '@quickcolumn/workflows';
import { parserOutput } from './terminal/terminal.js';

/** A program that throws CommanderError instead of ending the process. */
export function createProgram(): Command {
  const program = new Command('quickcolumn')
    .description(
      'Segment lungs and COVID-19 infection in chest CT with the QC-HC U-Net.\nResearch use only, not a medical device.',
    )
    .version(version)
    .option('--debug', 'show the stack of errors')
    .exitOverride()
    .configureOutput(parserOutput)
    .showHelpAfterError('(add --help for the options and examples)')
    .addHelpText(
      'after',
      `
Examples:
  quickcolumn demo --out demo-run
  quickcolumn train --profile quick --images ct --labels labels --out run
  quickcolumn predict --model run/model.onnx scan.nii.gz --out mask.nii.gz
  quickcolumn evaluate --truth labels --prediction masks --out evaluation

Exit codes: 0 done, 1 internal fault, 2 usage, 3 bad input, 4 configuration, 5 output exists or cannot be
written, 6 failed while running, 130 interrupted.`,
    );
  const commands = [
    demoCommand(),
    datasetCommand(),
    planCommand(),
    prepareCommand(),
    trainCommand(),
    predictCommand(),
    pseudoLabelCommand(),
    roundsCommand(),
    semiSupervisedCommand(),
    distillCommand(),
    evaluateCommand(),
    crossValidateCommand(),
    compareCommand(),
    dicomCommand(),
    doctorCommand(),
    configCommand(),
    networksCommand(),
  ];
  for (const command of commands) {
    // Commands of commands inherit nothing by themselves.
    for (const each of [command, ...command.commands]) {
      each.copyInheritedSettings(program).option('--debug', 'show the stack of errors');
    }
    program.addCommand(command);
  }
  return program;
}
