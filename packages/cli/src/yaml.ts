/** Configuration files as YAML: reading as plain data, and writing so that short lists stay on one line. */
import { readFile } from 'node:fs/promises';
import type { TrainConfig } from '@quickcolumn/learn';
import { isScalar, parse, Document, isSeq, visit } from 'yaml';
import { InputError } from './cases.js';
import { ConfigurationError } from './errors.js';

const header = ` A complete quickcolumn training configuration. Paths are relative to this file.
 Run it with: quickcolumn train --config FILE --out RUN`;

/** YAML text of a configuration, ending in a newline. */
export function toYaml(config: TrainConfig): string {
  // Without aliases each group can be edited by itself.
  const document = new Document(config, { aliasDuplicateObjects: false });
  document.commentBefore = header;
  visit(document, {
    Seq(_, node) {
      if (isSeq(node) && node.items.every((item) => isScalar(item))) node.flow = true;
    },
  });
  return document.toString({ flowCollectionPadding: false, lineWidth: 120 });
}

/** Reads YAML as plain data. @throws InputError when unreadable, ConfigurationError for text that is not YAML. */
export async function readYaml(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new InputError(`${path}: cannot read the configuration (${(cause as Error).message})`, { path }, { cause });
  }
  try {
    return parse(text) as unknown;
  } catch (cause) {
    throw new ConfigurationError(`${path}: not valid YAML: ${(cause as Error).message}`, { path }, { cause });
  }
}
