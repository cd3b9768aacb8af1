#!/usr/bin/env node
/** The `quickcolumn` program: parses arguments, runs one command, turns whatever goes wrong into an exit code. */
import { CommanderError } from 'commander';
import { exitCodeFor, reportError } from './terminal/errors.js';
import { listenForInterrupts } from './terminal/interrupt.js';
import { createProgram } from './program.js';

async function main(): Promise<void> {
  const program = createProgram();
  listenForInterrupts();
  try {
    await program.parseAsync();
  } catch (error) {
    // Commander has already said what is wrong with the arguments.
    if (!(error instanceof CommanderError)) reportError(error, { debug: process.argv.includes('--debug') });
    process.exitCode = exitCodeFor(error);
  }
}

// A reader that closed the pipe (`quickcolumn config | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  if (error.code === 'EIO') return;
  throw error;
});

// Nobody reads any more what is said there: the terminal was closed. What was begun is still ended in order.
process.stderr.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
});

await main();
