/** docs/doubts.md is written from the list: `npx vitest run packages/predict/src/doubts/docs.test.ts --update`. */
import { expect, test } from 'vitest';
import { doubtDescriptions } from './descriptions.js';
import { doubtIds } from './doubts.js';

function page(): string {
  const rows = doubtIds.map((id) => {
    const { seen, value, limit, look } = doubtDescriptions[id];
    return `| \`${id}\` | ${seen} | ${value} | ${limit} | ${look} |`;
  });
  return `# When a mask is probably wrong

Every mask is looked at when it is finished. What speaks against it is told as a **warning** on the terminal, under \`doubts\` in the
sidecar (\`{id, message, value}\`; empty where nothing does) and beside the case in reports. Nothing is refused and the exit code stays
0: a person decides. A mask without a warning is not proved right.

One list (\`packages/predict/src/doubts/doubts.ts\`) decides for the command line, pages and reports alike. What is wrong with the scan
itself is another list: [defects](defects.md).

| warning | what is seen | value | where the limit comes from | what to look at |
|---|---|---|---|---|
${rows.join('\n')}

## Agreement

Windows overlap, so that most voxels are predicted more than once; with mirroring and ensembles all are. Under \`agreement\` the sidecar
tells for each class the expected Dice between these members, measured while they are merged (\`windows/disagreement.ts\`); null, and "not
measured" on the terminal, where nothing overlapped. \`predict --disagreement\` also writes where they differ: the standard deviation of
the class probabilities (0.5 where half of the members are sure of another class) on the scan's own grid, NaN where there was one member only. Members that share a mistake agree.

## How good the warnings are

\`node bench/doubts.mjs FOLDER\` predicts the cases of the finished folds of a comparison or cross-validation and prints how often each warning
comes on good and on bad masks, and how agreement and Dice go together. The limits above were set with few scans; run it again with more.

## What no warning tells

- Lesions that all members miss, or draw in the same wrong place inside a lung.
- Left and right exchanged in the scan: the mask is as plausible as before.
- What is unlike the training in another way than by the numbers above. Models of earlier versions do not tell these numbers.
`;
}

test('the page has a row for every doubt', async () => {
  await expect(page()).toMatchFileSnapshot('../../../../docs/doubts.md');
  expect(new Set(doubtIds)).toEqual(new Set(Object.keys(doubtDescriptions)));
});
