/**
 * How results of ours are marked in their headers, so that a mask is never taken for a scan: NIfTI's descrip, NRRD's content,
 * MetaImage's comment. Label maps that a command imports, repairs or converts have the mark, too.
 */

/** Of label maps. */
export const labelsDescription = 'quickcolumn labels';

/** Of the probabilities of one class. */
export const probabilityDescription = 'quickcolumn probability';

/** Of the map of disagreement between the members of a prediction. */
export const disagreementDescription = 'quickcolumn disagreement';

/** Whether the description of a volume says that it is a result of ours and no scan. */
export function isResultDescription(description: string | undefined): boolean {
  // Pages of earlier versions wrote the notice of the sidecar.
  return /^(quickcolumn\b.*\b(labels|pseudo-labels|probability|disagreement)$|research use only, not a medical device)/.test(
    description?.trim() ?? '',
  );
}
