import { describe, expect, it } from 'vitest';
import { keepsClassValues, type LabelMap, labelMapIssues, mapLabels } from './label-map.js';

const classes = [
  { value: 0, name: 'background' },
  { value: 1, name: 'lung' },
  { value: 3, name: 'infection' },
];
const rules = (labels: LabelMap, ignoreLabel?: number): Parameters<typeof mapLabels>[1] => ({
  classes,
  labels,
  ...(ignoreLabel !== undefined && { ignoreLabel }),
});
const mapped = (labels: LabelMap, ...values: number[]): number[] => [
  ...mapLabels(Uint8Array.from(values), rules(labels)),
];

describe('mapLabels', () => {
  it('merges, drops and leaves alone', () => {
    const file = Uint8Array.of(0, 1, 2, 3, 4, 255);
    expect([...mapLabels(file, rules({ 1: 'lung', 2: 'lung', 4: null }))]).toEqual([0, 1, 1, 3, 0, 255]);
    expect([...file]).toEqual([0, 1, 2, 3, 4, 255]);
    expect(mapped({ 4: 'background' }, 4, 3)).toEqual([0, 3]);
    expect(mapLabels(file, { classes })).toBe(file);
  });

  it('is one step: values may swap', () => {
    expect(mapped({ 1: 'infection', 3: 'lung' }, 1, 3, 0)).toEqual([3, 1, 0]);
  });
});

it('keepsClassValues tells whether a mask of the classes goes through unharmed', () => {
  expect(keepsClassValues({ classes })).toBe(true);
  expect(keepsClassValues(rules({ 1: 'lung', 2: 'lung', 9: null }))).toBe(true);
  expect(keepsClassValues(rules({ 1: null, 2: 'lung' }))).toBe(false);
});

describe('labelMapIssues', () => {
  it.each<[LabelMap, number | undefined, string]>([
    [
      { 1: 'lungs' },
      undefined,
      "1: no class is named 'lungs'; use one of background, lung, infection, or null to drop it",
    ],
    [{ 256: 'lung' }, undefined, '256: is no value of a label file; use a whole number from 0 to 255'],
    [{ '-1': 'lung' }, undefined, '-1: is no value of a label file'],
    [{ '1.5': 'lung' }, undefined, '1.5: is no value of a label file'],
    [{ '01': 'lung' }, undefined, '01: is no value of a label file'],
    [{ 9: 'lung' }, 9, '9: is the label to ignore'],
    [{ 1: null, 2: 'infection' }, undefined, "no value becomes 'lung': its own, 1, is mapped to another class"],
    [{ 3: 'lung' }, undefined, "no value becomes 'infection': its own, 3"],
  ])('%o, ignoring %s', (labels, ignoreLabel, text) => {
    const [{ value, message }] = labelMapIssues(rules(labels, ignoreLabel));
    expect([value, message].filter((part) => part !== undefined).join(': ')).toContain(text);
  });

  it('finds nothing wrong with a mapping that gives every class something', () => {
    expect(labelMapIssues(rules({ 1: null, 2: 'lung', 3: 'infection', 4: 'infection' }, 255))).toEqual([]);
    expect(labelMapIssues({ classes })).toEqual([]);
  });
});
