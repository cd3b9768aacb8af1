/**
 * Whether the graph of a model file is a graph at all: every value made once, before it is used. ONNX demands this order
 * (onnx/docs/IR.md, "Graphs"), so a cyclic model is one whose nodes use what is made later.
 *
 * Quickcolumn builds its networks itself and takes only weights from the file; the check refuses files whose content is
 * not what their metadata say before anything is built from them.
 */
import { fields } from './proto.js';

/** More nodes than any network here has; QC-HC U-Net has some hundreds. */
const mostNodes = 100_000;

/** What is wrong with the graph of a model file, or undefined. Throws RangeError for bytes that are no protobuf. */
export function graphProblem(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder();
  for (const top of fields(bytes)) {
    if (top.field !== 7) continue;
    const known = new Set<string>(['']);
    const nodes: Uint8Array[] = [];
    for (const part of fields(top.bytes)) {
      if (part.field === 1) nodes.push(part.bytes);
      if (nodes.length > mostNodes) return `its graph has more than ${mostNodes} nodes`;
      // Initialisers have their name in field 8, graph inputs in field 1.
      const nameField = part.field === 5 ? 8 : part.field === 11 ? 1 : undefined;
      if (nameField === undefined) continue;
      for (const item of fields(part.bytes)) if (item.field === nameField) known.add(text.decode(item.bytes));
    }
    const problem = orderProblem(nodes, known);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function orderProblem(nodes: readonly Uint8Array[], known: Set<string>): string | undefined {
  const text = new TextDecoder();
  for (const [index, node] of nodes.entries()) {
    const outputs: string[] = [];
    for (const item of fields(node)) {
      if (item.field === 1 && !known.has(text.decode(item.bytes))) {
        return `node ${index} uses '${text.decode(item.bytes)}', which nothing before it makes: a cycle, or a part is missing`;
      }
      if (item.field === 2) outputs.push(text.decode(item.bytes));
    }
    for (const output of outputs) {
      if (output !== '' && known.has(output)) return `node ${index} makes '${output}', which there is already`;
      known.add(output);
    }
  }
  return undefined;
}
