/** A planned configuration as YAML, each planned value under a comment that says why. */
import { isMap, isPair, isScalar, parseDocument } from 'yaml';
import type { Plan } from './plan-length.js';
import { toYaml } from '../folders/yaml.js';

const header = ` A training configuration that quickcolumn planned; what is planned has its reason above it.
 Paths are relative to this file. Run it with: quickcolumn train --config FILE --out RUN`;

/** YAML text, ending in a newline. */
export function planYaml({ config, values }: Plan): string {
  const document = parseDocument(toYaml(config, header));
  for (const { key, why } of values) {
    const path = key.split('.');
    const group = document.getIn(path.slice(0, -1), true);
    if (!isMap(group)) continue;
    const pair = group.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === path.at(-1));
    if (pair !== undefined && isScalar(pair.key)) pair.key.commentBefore = ` ${why}`;
  }
  return document.toString({ flowCollectionPadding: false, lineWidth: 120 });
}
