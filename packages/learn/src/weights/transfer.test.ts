import type { NetworkConfig } from '@quickcolumn/networks';
import { networkVariables } from '@quickcolumn/networks';
import { covidClasses, msdClasses } from '@quickcolumn/volume';
import { describe, expect, it } from 'vitest';
import type { NamedTensor } from '../step/step-types.js';
import { type SourceModel, transferWeights } from './transfer.js';

const network: NetworkConfig = { name: 'unet3d', rootFilters: 2 };

function sourceOf(config: NetworkConfig, classes = covidClasses): SourceModel {
  const weights = new Map<string, NamedTensor>();
  for (const [name, { node }] of networkVariables(config, classes.length)) {
    const length = node.shape.reduce((product, size) => product * size, 1);
    weights.set(name, { shape: node.shape, data: new Float32Array(length).fill(weights.size) });
  }
  return { name: 'model.onnx', network: { ...config }, classes, weights };
}

describe('transferWeights', () => {
  it('takes everything over where network and classes are the same, running statistics included', () => {
    const source = sourceOf(network);
    const { initial, fresh } = transferWeights({ network, classes: covidClasses }, source);
    expect(fresh).toEqual([]);
    expect(initial).toEqual(source.weights);
    expect(initial.has('encoder0/first/norm/mean')).toBe(true);
  });

  it('starts the head anew for other classes, by number, name or order', () => {
    const tumour = transferWeights({ network, classes: covidClasses }, sourceOf(network, msdClasses));
    expect(tumour.fresh).toEqual(['head/weight', 'head/bias']);
    expect(tumour.initial.has('head/weight')).toBe(false);
    const [background, left, right, infection] = covidClasses;
    const reordered = [background, right, left, infection];
    expect(transferWeights({ network, classes: reordered }, sourceOf(network)).fresh).toHaveLength(2);
    const painted = covidClasses.map((one) => ({ ...one, color: [1, 2, 3] as const }));
    expect(transferWeights({ network, classes: painted }, sourceOf(network)).fresh).toEqual([]);
  });

  it('starts auxiliary heads anew, which model files do not have', () => {
    const deep: NetworkConfig = { name: 'deep-unet3d', rootFilters: 2 };
    const source = sourceOf(deep);
    const exported = new Map([...source.weights].filter(([name]) => !/^head\d/.test(name)));
    const { fresh } = transferWeights({ network: deep, classes: covidClasses }, { ...source, weights: exported });
    expect(fresh).toEqual(['head1', 'head2', 'head3'].flatMap((head) => [`${head}/weight`, `${head}/bias`]));
  });

  it('lists what does not fit, and says what to do', () => {
    const target = { network, classes: covidClasses };
    expect(() => transferWeights(target, sourceOf({ name: 'unet3d', rootFilters: 4 }))).toThrow(
      /model\.onnx: its weights do not fit.*encoder0\/first\/conv\/weight is \[4,1,3,3,3\] in the model, here \[2,1,3,3,3\].*and \d+ more.*"rootFilters":4.*network in the configuration/s,
    );
    const { weights, ...rest } = sourceOf(network);
    const changed = new Map(weights);
    const stem = changed.get('encoder1/first/conv/bias');
    changed.delete('encoder1/first/conv/bias');
    if (stem) changed.set('stem/bias', stem);
    expect(() => transferWeights(target, { ...rest, weights: changed })).toThrow(
      'encoder1/first/conv/bias [4] is not in the model; stem/bias is in the model only. The model is',
    );
  });
});
