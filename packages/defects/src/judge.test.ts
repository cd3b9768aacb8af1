import { exitCodeOf } from '@quickcolumn/errors';
import { expect, test } from 'vitest';
import { acceptableKinds, defectKinds, defects } from './defects.js';
import { judge } from './judge.js';

const constant = { kind: 'constant', message: 'every voxel is 0' } as const;
const notFinite = { kind: 'not-finite', message: '3 voxels are not numbers' } as const;
const slope = { kind: 'rescale-slope', message: 'no slope' } as const;

test('what is refused names the file, every reason, and the consent that would let it pass', () => {
  expect(() => judge('scan.nii', [constant])).toThrow(
    expect.objectContaining({
      message: 'scan.nii: every voxel is 0',
      fields: { path: 'scan.nii', kinds: ['constant'], options: { 'accept constant': 'use it as it is' } },
    }),
  );
  expect(exitCodeOf('defect')).toBe(3);
});

test('what is accepted already is named again beside the rest', () => {
  const options = { 'accept extent,constant': 'use it as it is' };
  expect(() => judge('scan.nii', [constant], ['extent'])).toThrow(
    expect.objectContaining({ fields: { path: 'scan.nii', kinds: ['constant'], options } }),
  );
});

test('no consent is offered where it would not be enough', () => {
  expect(() => judge('scan.nii', [constant, notFinite])).toThrow(
    expect.objectContaining({ fields: { path: 'scan.nii', kinds: ['constant', 'not-finite'] } }),
  );
});

test('what is noted, and what was accepted, is told', () => {
  expect(judge('scan.nii', [slope, constant], ['constant'])).toEqual(['no slope', 'every voxel is 0; accepted']);
  expect(judge('scan.nii', [], ['constant'])).toEqual([]);
});

test('the kinds to accept are those whose rule says so', () => {
  expect(acceptableKinds).toEqual(defectKinds.filter((kind) => defects[kind].consent?.option === 'accept'));
  expect(acceptableKinds).toContain('constant');
  expect(acceptableKinds).not.toContain('not-finite');
});
