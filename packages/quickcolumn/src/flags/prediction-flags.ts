/** The flags of a prediction beyond the plain sliding window, and the models of `--model`. */
import { existsSync } from 'node:fs';
import type { TestTimeOptions } from '@quickcolumn/workflows';
import { type Command, InvalidArgumentError } from 'commander';

/** A class as the user names it, and the number behind its `=`. */
interface ClassArgument {
  readonly name: string;
  readonly number?: number;
}

type Axis = 'x' | 'y' | 'z';

export interface TestTimeFlags {
  readonly gaussian?: boolean;
  readonly mirror?: readonly Axis[];
  readonly keepLargest?: readonly ClassArgument[];
  readonly minimumVolume?: readonly ClassArgument[];
  readonly fillHoles?: readonly ClassArgument[];
}

export function withTestTimeFlags(command: Command): Command {
  return command
    .option('--mirror <axes>', 'average over windows mirrored along x (left-right), y, z; x,y,z for all', mirrorAxes)
    .option('--keep-largest <classes>', 'keep the largest component of a class, or with =N the N largest', classList)
    .option(
      '--minimum-volume <classes>',
      'drop components of a class below this volume: infection=0.05 (ml)',
      classList,
    )
    .option('--fill-holes <classes>', 'fill background that a class encloses', classList);
}

/** As options of a job. */
export function testTimeOptions(flags: TestTimeFlags): Omit<TestTimeOptions, 'overlap'> {
  const { gaussian, mirror, keepLargest, minimumVolume, fillHoles } = flags;
  const numbers = (list: readonly ClassArgument[], without: number): Record<string, number> =>
    Object.fromEntries(list.map(({ name, number = without }) => [name, number]));
  const postProcessing = {
    ...(keepLargest && { keepLargest: numbers(keepLargest, 1) }),
    // A volume that is missing is refused by name where the classes are known.
    ...(minimumVolume && { minimumVolume: numbers(minimumVolume, 0) }),
    ...(fillHoles && { fillHoles: fillHoles.map(({ name }) => name) }),
  };
  return {
    ...(gaussian && { gaussian }),
    ...(mirror && { mirror }),
    ...(Object.keys(postProcessing).length > 0 && { postProcessing }),
  };
}

/** `a.onnx,b.onnx` as a list; a comma may be part of a file's name. */
export function modelPaths(text: string): readonly string[] {
  return existsSync(text) ? [text] : text.split(',').filter((path) => path !== '');
}

function mirrorAxes(text: string): Axis[] {
  const axes = text.split(',').map((part) => part.trim());
  if (!axes.every(isAxis)) throw new InvalidArgumentError('Expected axes separated by commas, for example x or x,y,z.');
  return [...new Set(axes)];
}

const isAxis = (text: string): text is Axis => text === 'x' || text === 'y' || text === 'z';

function classList(text: string): ClassArgument[] {
  return text.split(',').map((part) => {
    const [name, number, ...rest] = part.split('=').map((piece) => piece.trim());
    if (name === '' || rest.length > 0 || (number !== undefined && (number === '' || !Number.isFinite(Number(number)))))
      throw new InvalidArgumentError(`'${part}': expected a class, or class=number, for example infection=0.05.`);
    return number === undefined ? { name } : { name, number: Number(number) };
  });
}
