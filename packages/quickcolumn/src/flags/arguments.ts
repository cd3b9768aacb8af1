/**
 * Parsers of flag values. They throw commander's own error, so that the message names the flag and what came, and the
 * exit code is that of wrong usage.
 */
import { precisionNames, runtimeNames } from '@quickcolumn/runtimes';
import type { Size3 } from '@quickcolumn/volume';
import { InvalidArgumentError, Option } from 'commander';

/** A whole number of at least `minimum`. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < minimum) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${minimum}.`);
    }
    return value;
  };
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('Expected a number above 0.');
  }
  return value;
}

/** A number above 0 and at most 1. */
export function probability(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 1)) {
    throw new InvalidArgumentError('Expected a probability above 0 and at most 1.');
  }
  return value;
}

/** A number from 0 to 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('Expected a number from 0 to 1.');
  return value;
}

/** '96,96,48' or '96x96x48': voxels along x, y, z. */
export function size3(text: string): Size3 {
  const parts = text.split(/[,x×]/).map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (parts.length !== 3 || !parts.every((part) => Number.isSafeInteger(part) && part >= 0)) {
    throw new InvalidArgumentError('Expected three whole numbers along x, y, z, for example 96,96,48.');
  }
  return [parts[0], parts[1], parts[2]];
}

/** 'a,b,c' as a list of names. */
export function nameList(text: string): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0) throw new InvalidArgumentError('Expected names separated by commas.');
  return names;
}

/** A parser of lists of some of `choices`. */
export function choiceList<T extends string>(choices: readonly T[]): (text: string) => T[] {
  return (text) =>
    nameList(text).map((name) => {
      const choice = choices.find((known) => known === name);
      if (choice === undefined) throw new InvalidArgumentError(`Expected one or more of ${choices.join(', ')}.`);
      return choice;
    });
}

/** '2/5' is the second of five folds; counted from 0 in the result, as in the configuration. */
export function foldOf(text: string): { folds: number; fold: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [number, folds] = match === null ? [0, 0] : [Number(match[1]), Number(match[2])];
  if (folds < 2 || number < 1 || number > folds) {
    throw new InvalidArgumentError('Expected k/n with k from 1 to n, for example 1/5 to 5/5.');
  }
  return { folds, fold: number - 1 };
}

/** `--runtime`, `--precision` and `--autotune`, the same on every command that runs a network. */
export function runtimeOption(): Option {
  return new Option('--runtime <name>', 'what executes the network (default: the fastest that is there)').choices(
    runtimeNames,
  );
}

export function precisionOption(): Option {
  return new Option(
    '--precision <name>',
    'arithmetic (default: float32 or bfloat16, what is measured to be faster here; float16 is for graphics cards)',
  ).choices(precisionNames);
}

export function autotuneOption(): Option {
  return new Option('--autotune', 'measure which kernels are the fastest on this graphics card, and remember it');
}
