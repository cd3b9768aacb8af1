/**
 * Another model's weights as the start of a training. Variables are matched by name and shape, running statistics of
 * batch norm among them; anything that does not fit is an error, because a network that is half random learns worse
 * and nobody notices.
 *
 * Only heads may differ: they start anew (from the seed) where the classes are not the same ones in the same order,
 * and so do auxiliary heads, which model files do not have.
 */
import { headVariables, type NetworkConfig, networkVariables } from '@quickcolumn/networks';
import type { LabelClass } from '@quickcolumn/volume';
import type { NamedTensor } from '../step/step-types.js';
import { TrainError } from '../train-error.js';

/** What a model file says and holds. */
export interface SourceModel {
  /** What messages call it: its file. */
  readonly name: string;
  readonly network: { readonly name: string; readonly [option: string]: unknown };
  readonly classes: readonly LabelClass[];
  readonly weights: ReadonlyMap<string, NamedTensor>;
}

export interface Transfer {
  /** Values to start from. */
  readonly initial: ReadonlyMap<string, NamedTensor>;
  /** Names of variables that start anew: heads. */
  readonly fresh: readonly string[];
}

/** Problems named in a message; the others are counted. */
const mostListed = 8;

/**
 * What a network takes over from a model.
 * @throws TrainError (code `train`) that lists what is missing, of another shape or left over
 */
export function transferWeights(
  target: { readonly network: NetworkConfig; readonly classes: readonly LabelClass[] },
  source: SourceModel,
): Transfer {
  const heads = headVariables(target.network);
  const sameClasses = describe(target.classes) === describe(source.classes);
  const initial = new Map<string, NamedTensor>();
  const fresh: string[] = [];
  const problems: string[] = [];
  const variables = networkVariables(target.network, target.classes.length);
  for (const [name, { node }] of variables) {
    const found = source.weights.get(name);
    const isHead = heads.has(name);
    if (isHead && (!sameClasses || found === undefined)) fresh.push(name);
    else if (found === undefined) problems.push(`${name} [${node.shape}] is not in the model`);
    else if (found.shape.join() !== node.shape.join())
      problems.push(`${name} is [${found.shape}] in the model, here [${node.shape}]`);
    else initial.set(name, found);
  }
  for (const name of source.weights.keys()) if (!variables.has(name)) problems.push(`${name} is in the model only`);
  if (problems.length > 0) {
    const more = problems.length > mostListed ? `; and ${problems.length - mostListed} more` : '';
    throw new TrainError(
      `${source.name}: its weights do not fit this network: ${problems.slice(0, mostListed).join('; ')}${more}. ` +
        `The model is ${JSON.stringify(source.network)}, the network here ${JSON.stringify(target.network)}; ` +
        'train with the network of the model (network in the configuration) or choose another model',
      { model: source.name },
    );
  }
  return { initial, fresh };
}

/** What a head's channels mean. */
function describe(classes: readonly LabelClass[]): string {
  return JSON.stringify(classes.map(({ value, name }) => [value, name]));
}
