/** A hidden command: one stage of a fold, as a child process of `compare` or `cross-validate`. */
import { Command } from 'commander';
import { obeyAsChild, stageCommand } from '../compare/child.js';

export function runStageCommand(): Command {
  return new Command(stageCommand).description('internal: one stage of a fold').action(obeyAsChild);
}
