import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCodeOf, errorCodes, errorToJson, exitCodeOf, exitCodes, QuickcolumnError } from './index.js';

class Special extends QuickcolumnError {}

const sent = (error: unknown): QuickcolumnError =>
  QuickcolumnError.fromJSON(JSON.parse(JSON.stringify(errorToJson(error))));

describe('an error that is sent as JSON', () => {
  it('keeps code, name, message, fields, stack and causes', () => {
    const cause = new Special('nifti', 'scan.nii: too short', { path: 'scan.nii', bytes: 12 });
    const error = new QuickcolumnError('input', 'no scan', { names: ['a', 'b'] }, { cause });
    const back = sent(error);
    expect(back).toBeInstanceOf(QuickcolumnError);
    expect(back).toMatchObject({
      code: 'input',
      message: 'no scan',
      fields: { names: ['a', 'b'] },
      stack: error.stack,
    });
    expect(back.cause).toMatchObject({ code: 'nifti', name: 'Special', fields: { path: 'scan.nii', bytes: 12 } });
    expect(JSON.parse(JSON.stringify(error))).toEqual(errorToJson(error));
  });

  it('is the same after a second way, for every code and any fields', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...errorCodes),
        fc.string(),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (code, message, fields) => {
          const once = sent(new QuickcolumnError(code, message, fields));
          expect(sent(once).toJSON()).toEqual(once.toJSON());
          expect(once.message).toBe(message);
        },
      ),
      { seed: 7 },
    );
  });

  it('is of code internal where nobody threw it on purpose, and survives what JSON cannot hold', () => {
    expect(sent(new RangeError('index 7'))).toMatchObject({ code: 'internal', name: 'RangeError', message: 'index 7' });
    expect(sent('just text')).toMatchObject({ code: 'internal', message: 'just text' });
    expect(sent(new QuickcolumnError('runtime', 'x', { at: 5n })).fields).toEqual({ at: '5' });
    const loop = new Error('again');
    loop.cause = loop;
    expect(sent(loop).message).toBe('again');
  });

  it('is refused where it is none', () => {
    for (const value of [null, {}, { code: 'no-such', message: 'x' }, 7]) {
      expect(() => QuickcolumnError.fromJSON(value)).toThrow(/no error of quickcolumn/);
    }
  });
});

describe('exit codes', () => {
  it('are given to every code', () => {
    const known = new Set<number>(Object.values(exitCodes));
    for (const code of errorCodes) expect(known.has(exitCodeOf(code)), code).toBe(true);
    expect(Object.fromEntries(errorCodes.map((code) => [code, exitCodeOf(code)]))).toMatchSnapshot();
  });

  it('tell apart what the system refused to read and to write', () => {
    const refused = (code: string): Error => Object.assign(new Error(code), { code, syscall: 'open' });
    expect(errorCodeOf(refused('ENOENT'))).toBe('file-read');
    expect(errorCodeOf(refused('ENOSPC'))).toBe('file-write');
    expect(errorCodeOf(new DOMException('stop', 'AbortError'))).toBe('interrupted');
    expect(errorCodeOf(Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }))).toBe('internal');
  });
});
