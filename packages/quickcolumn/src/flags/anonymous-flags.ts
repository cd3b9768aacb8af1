/** The flags of commands that can leave out whose scans they are about. */
import { type CaseNaming, checkOutputFile } from '@quickcolumn/workflows';
import type { Command } from 'commander';

/** Adds --anonymize and --anonymize-key. */
export function withAnonymousFlags(command: Command): Command {
  return command
    .option('--anonymize', 'call cases case-1, case-2, … in everything that is written, and show no paths')
    .option('--anonymize-key <file.json>', 'also write which case is which, into a file of its own');
}

/** For commands that are no jobs. @throws OutputError for a key file that exists */
export async function checkAnonymousFlags({ anonymizeKey }: CaseNaming, force: boolean): Promise<void> {
  if (anonymizeKey !== undefined) await checkOutputFile(anonymizeKey, force);
}
