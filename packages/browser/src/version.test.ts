import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { thisPackage } from './version.js';

it('is what package.json says', () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(text)).toMatchObject(thisPackage);
});
