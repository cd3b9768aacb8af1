/** docs/defects.md is written from the list: `npx vitest run packages/defects -u` writes it anew. */
import { expect, test } from 'vitest';
import { type Consent, defectKinds, defects } from './defects.js';
import { defectDescriptions } from './descriptions.js';

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function consentText(consent: Consent | undefined, effect: string | undefined): string {
  if (consent === undefined || effect === undefined) return '–';
  const flag = `--${kebab(consent.option)}`;
  const values = consent.values.map((value) => (value === '…' ? value : `\`${flag} ${value}\``));
  return `${values.length === 0 ? `\`${flag}\`` : values.join(', ')}: ${effect}`;
}

function page(): string {
  const rows = defectKinds.map((kind) => {
    const { outcome, consent } = defects[kind];
    const { where, seen, effect } = defectDescriptions[kind];
    return `| \`${kind}\` | ${where} | ${seen} | ${outcome} | ${consentText(consent, effect)} |`;
  });
  return `# What can be wrong with a scan, and what happens

What could give a wrong mask is **refused**: the command ends with exit code 3 before anything is computed, and names the
file, the defect with its numbers, and the option with which the user takes the responsibility. What only a person can judge,
and what was put right without doubt, is **noted**: on the terminal, and under \`notes\` in the sidecar beside a mask. Nothing
passes silently.

One list (\`packages/defects/src/defects.ts\`) and one judge decide for \`predict\`, \`train\`, \`prepare\`, \`pseudo-label\`,
\`dataset check\` and the browser alike, in the same words. In \`dataset check\` what is refused is an error, what is noted a
warning. In a configuration file the options are \`data.accept\`, \`data.assumeOrientation\` and \`data.assumeUnits\`.

Options never overrule what a file says: an orientation is assumed only where a header gives none, a unit only where it does
not say millimetres, and masks are written with what was assumed.

| defect | where | what is seen | what happens | option |
|---|---|---|---|---|
${rows.join('\n')}

## What cannot be noticed

- Left and right exchanged in all slices, pixels and header alike: a chest mirrored so is a possible chest.
- Values that are off by little in all slices, such as an intercept of −1000 in the place of −1024.
- Slices lost at an end where no lung is cut and no number of the headers tells; their mask would be empty.
- Slices exchanged among the outermost four, where little lung is and all are alike.
- Axes exchanged in a part of a chest, in strongly oblique scans, and where no spine can be seen from end to end.
- MR that was windowed to 0–255.
`;
}

test('the page has a row for every defect', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/defects.md');
  expect(new Set(defectKinds)).toEqual(new Set(Object.keys(defects)));
  for (const kind of defectKinds)
    expect(defectDescriptions[kind].effect === undefined, kind).toBe(defects[kind].consent === undefined);
});
