import fc from 'fast-check';
import { expect, it } from 'vitest';
import { csvCell, plainCell } from './csv-cell.js';

it('no text is a formula, numbers stay numbers', () => {
  const texts = ['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\r=1', "'=1", '=HYPERLINK("http://x","y")'];
  for (const text of texts) expect(csvCell(text)).toMatch(/^"?'/);
  expect(csvCell('=HYPERLINK("a","b")')).toBe(`"'=HYPERLINK(""a"",""b"")"`);
  expect([csvCell(-1.5), csvCell(0), csvCell(null)]).toEqual(['-1.5', '0', '']);
  expect([csvCell('case-1'), csvCell("O'Neill"), csvCell("'tis")]).toEqual(['case-1', "O'Neill", "'tis"]);
});

it('the way back is exact', () => {
  const text = fc.stringMatching(/^['=+@ a-]{0,6}$/);
  fc.assert(
    fc.property(text, (value) => {
      expect(plainCell(csvCell(value))).toBe(value);
    }),
    { seed: 1 },
  );
});
