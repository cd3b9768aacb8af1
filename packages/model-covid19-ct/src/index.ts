/**
 * Where the files of the pretrained model are: `file:` addresses in Node (`fileURLToPath` makes paths of them), addresses of
 * the page's origin in browsers, where bundlers know this form and copy the files.
 *
 * The trap: the weights may be missing, in a clone from before they were made; whoever opens them says so.
 */

/** The model: ONNX with the metadata of @quickcolumn/pipeline. */
export const modelUrl: URL = new URL('../model.onnx', import.meta.url);

/** What is known of it: terms, checksums, how it was made, figures of the cross-validation (JSON). */
export const factsUrl: URL = new URL('../model.json', import.meta.url);
