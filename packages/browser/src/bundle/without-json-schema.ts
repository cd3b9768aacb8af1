/**
 * Leaves zod's JSON Schema out of a bundle, a tenth of its size: every schema of zod can be turned into JSON Schema, so that
 * no bundler drops the code, and nothing here ever does it. What is left in its place throws.
 */
import { readFile } from 'node:fs/promises';
import type { Plugin } from 'rolldown';

const modules = /\/zod\/v4\/core\/(?:json-schema-processors|to-json-schema)\.js$/;
const exported = /^export (?:function|const) (\w+)|^export \{ \w+ as (\w+) \}/gm;

export const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  async load(id) {
    if (!modules.test(id.replaceAll('\\', '/'))) return null;
    const names = [...(await readFile(id, 'utf8')).matchAll(exported)].map(([, own, renamed]) => own ?? renamed);
    if (names.length === 0) throw new Error(`${id} exports nothing that is known; look at what zod has made of it`);
    const missing = `const missing = () => { throw new Error('JSON Schema is not in this bundle'); };`;
    return [missing, ...names.map((name) => `export { missing as ${name} };`)].join('\n');
  },
};
