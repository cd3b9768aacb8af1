/**
 * Label maps that a model made stand in one list with those of people, and a training reads all of them with the mapping of
 * its configuration (`preparation.labels`). That is right only where the mapping leaves the classes' own values alone.
 */
import { QuickcolumnError } from '@quickcolumn/errors';
import { keepsClassValues, labelMapIssues, type LabelRules } from '@quickcolumn/pipeline';

/** @throws QuickcolumnError `usage` for a mapping that would change masks of a model, or what is to be ignored in them */
export function requireOwnValues(rules: LabelRules): void {
  const [issue] = labelMapIssues(rules);
  const problem =
    issue === undefined
      ? keepsClassValues(rules)
        ? undefined
        : "it maps values that classes have themselves, so that a model's own masks would be read wrongly"
      : [issue.value, issue.message].filter((part) => part !== undefined).join(': ');
  if (problem === undefined) return;
  throw new QuickcolumnError(
    'usage',
    `preparation.labels cannot be used where a model's masks are trained on: ${problem}; give classes values that are not ` +
      'mapped elsewhere',
  );
}
