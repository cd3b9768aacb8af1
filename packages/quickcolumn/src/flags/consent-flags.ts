/** The flags of commands that read scans: what the user lets pass, and what headers do not say. */
import { acceptableKinds, type DefectKind } from '@quickcolumn/defects';
import { lengthUnits } from '@quickcolumn/io';
import { allAxisCodes } from '@quickcolumn/volume';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { nameList } from './arguments.js';

export function acceptOption(): Option {
  const text = `let these defects of scans pass: ${acceptableKinds.join(', ')}`;
  return new Option('--accept <kinds>', text).argParser(acceptedKinds);
}

export function assumeOrientationOption(): Option {
  const text = 'where a header gives none: the sides of the patient that the voxel axes run to, such as LPS or RAS';
  return new Option('--assume-orientation <codes>', text).argParser(axisCodes);
}

export function assumeUnitsOption(): Option {
  return new Option(
    '--assume-units <unit>',
    'where a header does not say millimetres: what its lengths are in',
  ).choices(lengthUnits);
}

/** Adds all three. */
export function withConsentFlags(command: Command): Command {
  return withAssumptionFlags(command.addOption(acceptOption()));
}

/** Adds --assume-orientation and --assume-units, for commands that compute nothing from intensities. */
export function withAssumptionFlags(command: Command): Command {
  return command.addOption(assumeOrientationOption()).addOption(assumeUnitsOption());
}

function acceptedKinds(text: string): DefectKind[] {
  return nameList(text).map((name) => {
    const kind = acceptableKinds.find((known) => known === name);
    if (kind === undefined) throw new InvalidArgumentError(`Expected one or more of ${acceptableKinds.join(', ')}.`);
    return kind;
  });
}

function axisCodes(text: string): string {
  const codes = text.toUpperCase();
  if (allAxisCodes.includes(codes)) return codes;
  throw new InvalidArgumentError('Expected three letters, one each of R/L, A/P and S/I, such as LPS.');
}
