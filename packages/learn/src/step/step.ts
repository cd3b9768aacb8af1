/**
 * Compiles a network, its loss, its gradients and its optimiser into one executable training step, and the same network with
 * running statistics into an evaluation step. Weights are drawn from the seed, each by its own name, so they do not
 * depend on the order in which a network makes its variables; `initial` values take their place (transfer.ts).
 */
import { differentiate, elementCount, Graph, type GraphNode } from '@quickcolumn/graph';
import { buildHeads } from '@quickcolumn/networks';
import { createRandom } from '@quickcolumn/random';
import type { Executable } from '@quickcolumn/runtimes';
import { buildDeepLoss, type LossNodes } from '../losses/build-loss.js';
import { buildOptimizer, optimizerInputs } from '../optimizers/build-optimizer.js';
import { TrainError } from '../train-error.js';
import { averageInput, buildAverages } from '../weights/averaged-weights.js';
import { compileOptions, frozenOf, runtimeOf } from './compile.js';
import type { EvaluationStep, NamedTensor, StepConfig, StepResult, TrainingBatch, TrainingStep } from './step-types.js';

interface StepGraph {
  readonly graph: Graph;
  readonly nodes: LossNodes;
}

function forward(config: StepConfig, training: boolean): StepGraph {
  const graph = new Graph();
  const grid = [config.patch[2], config.patch[1], config.patch[0]];
  const image = graph.input('image', [config.batch, 1, ...grid]);
  const truth = config.softTruth
    ? graph.input('truth', [config.batch, config.classes, ...grid])
    : graph.input('labels', [config.batch, ...grid], 'uint8');
  const builder = { graph, training, path: '', frozen: frozenOf(config) };
  const { logits, auxiliary } = buildHeads(builder, image, config.classes, config.network);
  const nodes = buildDeepLoss(graph, [logits, ...auxiliary], truth, config.loss, { ignore: config.ignoreLabels });
  for (const [name, node] of Object.entries(nodes)) graph.output(name, node);
  return { graph, nodes };
}

/** The whole training step as a graph: assigns weights, moments and running statistics. */
export function trainingGraph(config: StepConfig): Graph {
  const { graph, nodes } = forward(config, true);
  const isFrozen = frozenOf(config);
  const weights: GraphNode[] = [];
  // What no trained weight comes before needs no gradient: differentiate leaves it out, and the step is cheaper.
  for (const [name, { node, trainable }] of graph.variables) if (trainable && !isFrozen(name)) weights.push(node);
  if (weights.length === 0) throw new TrainError('every variable is frozen, nothing is left to train; freeze less');
  const gradients = differentiate(graph, nodes.loss, weights);
  const updates = weights.map((weight, i) => ({ weight, gradient: gradients[i] }));
  buildOptimizer(graph, updates, config.optimizer);
  if (config.averaging !== undefined) buildAverages(graph, weights);
  return graph;
}

/** FNV-1a, 32 bits: gives every variable name a stream of its own. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Starting values of a graph's normally initialised variables. */
function initialWeights(graph: Graph, seed: number): Map<string, NamedTensor> {
  const values = new Map<string, NamedTensor>();
  for (const [name, { node, initializer }] of graph.variables) {
    if (initializer.kind !== 'normal') continue;
    const data = new Float32Array(elementCount(node.shape));
    createRandom({ seed, epoch: 0, sample: nameHash(name) }, 'weights').addNormal(data, initializer.sd);
    values.set(name, { shape: node.shape, data });
  }
  return values;
}

/** What the graph of `forward` takes. @throws TrainError for a batch without the shares that it is to learn */
function inputsOf(
  { image, labels, truth }: TrainingBatch,
  { softTruth }: StepConfig,
): Readonly<Record<string, Float32Array | Uint8Array>> {
  if (!softTruth) return { image, labels };
  if (truth === undefined)
    throw new TrainError('a batch without the shares of its classes, which the step is to learn');
  return { image, truth };
}

function resultOf(outputs: Readonly<Record<string, Float32Array>>, classes: number): StepResult {
  const softDice = Array.from({ length: classes }, (_, c) => {
    let overlap = 0;
    let volume = 0;
    for (let i = c; i < outputs.truePositive.length; i += classes) {
      overlap += 2 * outputs.truePositive[i];
      volume += outputs.predicted[i] + outputs.actual[i];
    }
    return volume === 0 ? 0 : overlap / volume;
  });
  return { loss: outputs.loss[0], crossEntropy: outputs.crossEntropy[0], tversky: outputs.tversky[0], softDice };
}

/** A ready training step with freshly drawn weights. The caller disposes it. */
export async function compileTrainingStep(config: StepConfig): Promise<TrainingStep> {
  const graph = trainingGraph(config);
  const runtime = await runtimeOf(config);
  const executable = await runtime.compile(graph, compileOptions(config));
  await executable.writeVariables(new Map([...initialWeights(graph, config.seed), ...(config.initial ?? [])]));
  // Every checkpoint is a copy of the variables.
  const copyBytes = [...graph.variables.values()].reduce((sum, { node }) => sum + 4 * elementCount(node.shape), 0);
  return {
    bytes: executable.bytes + copyBytes,
    async run(batch: TrainingBatch, { learningRate, step }): Promise<StepResult> {
      const scalars = {
        ...optimizerInputs(learningRate, step, config.optimizer),
        ...(config.averaging !== undefined && averageInput(config.averaging, step)),
      };
      return resultOf(await executable.run({ ...inputsOf(batch, config), ...scalars }), config.classes);
    },
    variables: () => executable.readVariables(),
    setVariables: (values) => executable.writeVariables(values),
    dispose: () => executable.dispose(),
  };
}

/**
 * The loss with running statistics, for batches of up to `config.batch` patches: a smaller one is compiled when it first
 * comes. Variables that the plain network lacks (moments) are ignored.
 */
export async function compileEvaluationStep(config: StepConfig): Promise<EvaluationStep> {
  const runtime = await runtimeOf(config);
  const voxels = config.patch[0] * config.patch[1] * config.patch[2];
  const compiled = new Map<number, Executable>();
  let variables: ReadonlyMap<string, NamedTensor> = new Map();
  const executableFor = async (batch: number): Promise<Executable> => {
    const known = compiled.get(batch);
    if (known !== undefined) return known;
    const executable = await runtime.compile(forward({ ...config, batch }, false).graph, compileOptions(config));
    compiled.set(batch, executable);
    if (variables.size > 0) await executable.writeVariables(variables);
    return executable;
  };
  // What cannot be compiled shows before the first epoch.
  await executableFor(config.batch);
  const { variables: known } = forward(config, false).graph;
  return {
    run: async (batch) => {
      const executable = await executableFor(batch.labels.length / voxels);
      return resultOf(await executable.run(inputsOf(batch, config)), config.classes);
    },
    async setVariables(values) {
      variables = new Map([...values].filter(([name]) => known.has(name)));
      for (const executable of compiled.values()) await executable.writeVariables(variables);
    },
    async dispose() {
      for (const executable of compiled.values()) await executable.dispose();
    },
  };
}
