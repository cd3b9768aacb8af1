import { catalogue } from '@quickcolumn/networks';
import { describe, expect, it } from 'vitest';
import { frozenParts, matches } from './freeze.js';

describe('freeze patterns', () => {
  it.each([
    ['encoder', 'encoder0/first/conv/weight', true],
    ['encoder', 'encoder12/first/norm/mean', true],
    ['encoder', 'encoder/conv/weight', true],
    ['encoder1', 'encoder12/first/conv/weight', false],
    ['encoder0/first', 'encoder0/first/conv/weight', true],
    ['encoder/first', 'encoder3/first/conv/weight', true],
    ['encoder0/fir', 'encoder0/first/conv/weight', false],
    ['enc', 'encoder0/first/conv/weight', false],
    ['enc*', 'encoder0/first/conv/weight', true],
    ['*/*/norm', 'decoder2/last/norm/gamma', true],
    ['*/norm', 'decoder2/last/norm/gamma', false],
    ['**/norm', 'decoder2/up/norm/gamma', true],
    ['**/norm/m*n', 'decoder2/up/norm/mean', true],
    ['**/norm/m*n', 'decoder2/up/norm/gamma', false],
    ['encoder**/conv/bias', 'encoder0/first/conv/bias', false],
    ['encoder0/**/bias', 'encoder0/first/conv/bias', true],
    ['stem/weight/more', 'stem/weight', false],
    ['**', 'stem/weight', true],
  ])('%s and %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it('takes bounded time for hostile patterns', () => {
    const stars = `${'*a'.repeat(40)}b`;
    expect(matches(stars, `${'a'.repeat(2000)}/weight`)).toBe(false);
    expect(matches(`${'**/'.repeat(30)}x`, 'a/b/c/d/e/f/g/h')).toBe(false);
  });

  it('names what it freezes, and is an error where that is nothing', () => {
    const network = catalogue[0].config;
    const [stem, encoder] = frozenParts(network, ['stem', 'encoder4/first']);
    expect(stem).toEqual({ pattern: 'stem', names: ['stem/weight', 'stem/bias'] });
    expect(encoder.names).toEqual(
      ['conv/weight', 'conv/bias', 'norm/gamma', 'norm/beta', 'norm/mean', 'norm/variance'].map(
        (name) => `encoder4/first/${name}`,
      ),
    );
    expect(() => frozenParts(network, ['stem', 'encodr'])).toThrow(
      /'encodr' names no variable of qchc-unet; its parts are stem, encoder0, .*head, a variable is stem\/weight/,
    );
  });
});
