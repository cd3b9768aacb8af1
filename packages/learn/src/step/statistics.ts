/**
 * The statistics of batch norm, estimated anew with the weights fixed ("precise batch norm": Wu and Johnson 2021,
 * "Rethinking 'Batch' in BatchNorm", section 3).
 *
 * The running averages of the training (momentum 0.99) lag behind the weights, the more the faster these change. Here the
 * network runs in training mode, without gradients, over fixed patches; from each layer's mean m and variance v in every
 * patch come the mean E[m] and the variance E[v + m²] − E[m]² over all of them. Sums are in float64, in a fixed order.
 */
import { Graph } from '@quickcolumn/graph';
import { buildHeads } from '@quickcolumn/networks';
import { compileOptions, frozenOf, runtimeOf } from './compile.js';
import type { NamedTensor, StatisticsStep, StepConfig } from './step-types.js';

const meanSuffix = '/mean';
const varianceSuffix = '/variance';

/** A pass in training mode for one patch; undefined for a network without batch norm, or with all of it frozen. */
export async function compileStatisticsStep(config: StepConfig): Promise<StatisticsStep | undefined> {
  const graph = new Graph();
  const image = graph.input('image', [1, 1, config.patch[2], config.patch[1], config.patch[0]]);
  const observed: string[] = [];
  const builder = {
    graph,
    training: true,
    path: '',
    frozen: frozenOf(config),
    observe: (name: string, statistic: Parameters<Graph['output']>[1]): void => {
      observed.push(name);
      graph.output(`batch/${name}`, statistic);
    },
  };
  buildHeads(builder, image, config.classes, config.network);
  if (observed.length === 0) return undefined;
  const runtime = await runtimeOf(config);
  const executable = await runtime.compile(graph, compileOptions(config));
  return {
    async run(patch) {
      const outputs = await executable.run({ image: patch });
      return new Map(observed.map((name) => [name, outputs[`batch/${name}`]]));
    },
    setVariables: (values) =>
      executable.writeVariables(new Map([...values].filter(([name]) => graph.variables.has(name)))),
    dispose: () => executable.dispose(),
  };
}

/**
 * Statistics to take the place of the running ones, by name.
 * @param variables the weights that they are to belong to
 * @param patches images of the step's patch, at least one
 */
export async function estimateStatistics(
  step: StatisticsStep,
  variables: ReadonlyMap<string, NamedTensor>,
  patches: Iterable<Float32Array>,
): Promise<Map<string, NamedTensor>> {
  await step.setVariables(variables);
  const sums = new Map<string, Float64Array>();
  let count = 0;
  for (const patch of patches) {
    count++;
    const statistics = await step.run(patch);
    for (const [name, values] of statistics) {
      const sum = sums.get(name) ?? new Float64Array(values.length);
      sums.set(name, sum);
      const isVariance = name.endsWith(varianceSuffix);
      const means = isVariance ? statistics.get(meanOf(name)) : undefined;
      for (let c = 0; c < sum.length; c++) sum[c] += values[c] + (means === undefined ? 0 : means[c] ** 2);
    }
  }
  if (count === 0) throw new RangeError('no patches to estimate statistics from');
  const estimated = new Map<string, NamedTensor>();
  for (const [name, sum] of sums) {
    const meanSums = name.endsWith(varianceSuffix) ? sums.get(meanOf(name)) : undefined;
    const data = Float32Array.from(sum, (value, c) =>
      meanSums === undefined ? value / count : Math.max(0, value / count - (meanSums[c] / count) ** 2),
    );
    estimated.set(name, { shape: [data.length], data });
  }
  return estimated;
}

const meanOf = (variance: string): string => `${variance.slice(0, -varianceSuffix.length)}${meanSuffix}`;
