/** The configuration of a training: YAML text to a checked configuration, as `train --config` reads it. */
import { profiles } from '@quickcolumn/learn';
import { toYaml, trainConfigFrom } from '@quickcolumn/workflows';
import type { FuzzReader } from './reader.js';
import { varyBytes, varyText } from '../mutation/vary.js';

/** Texts that YAML parsers have fallen over. */
export const yamlBombs: readonly string[] = [
  // Ten aliases of ten aliases …: 10^9 entries.
  `a0: &a0 [x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(10)}]`).join('\n')}\n`,
  `profile: ${'['.repeat(3000)}`,
  `profile: quick\ntrain: ${'{a: '.repeat(1500)}1${'}'.repeat(1500)}\n`,
  `${' '.repeat(100)}- `.repeat(500),
  'profile: quick\n__proto__: { polluted: true }\nconstructor: 1\n',
  'profile: quick\ndata: &d { patients: *d }\n',
  '? { a: [1, 2] }\n: 3\n',
  `profile: quick\nseed: ${'9'.repeat(5000)}\n`,
  'profile: !!binary AAAA\nseed: !!set { a, b }\n',
  '--- 1\n--- 2\n',
  '\u0000\uFFFE profile: quick',
];

export const configReader: FuzzReader = {
  name: 'config',
  seeds: async () =>
    [
      ...Object.values(profiles).map((object) => toYaml(object)),
      'profile: quick\ndata: { images: ct, labels: labels }\npreparation: { spacingMm: [10, 10, 10] }\n' +
        'network: { rootFilters: 2 }\ntrain: { patch: [16, 16, 16], epochs: 2 }\npredict: { overlap: [4, 4, 4] }\n',
      ...yamlBombs,
    ].map((text, i) => ({ name: `made-${i}.yaml`, extension: '.yaml', bytes: Buffer.from(text) })),
  vary: ({ bytes }, random, other) => (random.next() < 0.7 ? varyText(bytes, random) : varyBytes(bytes, random, other)),
  read: async (path) => {
    await trainConfigFrom({ config: path });
    if ('polluted' in {}) throw new Error('the prototype of all objects was changed');
  },
};
