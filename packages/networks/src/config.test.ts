/** Every network by its name: what a configuration may say, the heads, the patches, the catalogue. */
import { Graph, GraphError } from '@quickcolumn/graph';
import { describe, expect, it } from 'vitest';
import {
  buildHeads,
  catalogue,
  headCount,
  type NetworkConfig,
  networkDefinitions,
  networkSchema,
  networkVariables,
  patchMultipleOf,
} from './index.js';

const small: readonly NetworkConfig[] = catalogue.map(({ config }) => ({ ...config, rootFilters: 1 }));
/** Each of them, and with each of its switches turned. */
const variants: readonly NetworkConfig[] = small.flatMap((config) => [
  config,
  ...Object.entries(config).flatMap(([key, value]) =>
    typeof value === 'boolean' ? [{ ...config, [key]: !value }] : [],
  ),
]);

function headsOf(config: NetworkConfig, edge: number, training = true): number[][] {
  const graph = new Graph();
  const image = graph.input('image', [1, 1, edge, 2 * edge, edge]);
  const { logits, auxiliary } = buildHeads({ graph, training, path: '' }, image, 3, config);
  return [logits, ...auxiliary].map(({ shape }) => [...shape]);
}

describe('network configuration', () => {
  it('refuses unknown networks and options', () => {
    expect(networkSchema.safeParse({ ...catalogue[0].config, width: 3 }).success).toBe(false);
    expect(networkSchema.safeParse({ name: 'unet4d', rootFilters: 16 }).success).toBe(false);
    expect(networkSchema.safeParse({ name: 'unet3d' }).success).toBe(false);
    expect(networkSchema.safeParse({ name: 'unet3d', rootFilters: 257 }).success).toBe(false);
  });

  it('keeps the options as they are, the name first whatever the order was', () => {
    for (const { config } of catalogue) {
      const shuffled = Object.fromEntries(Object.entries(config).reverse());
      expect(JSON.stringify(networkSchema.parse(shuffled))).toBe(JSON.stringify(config));
    }
  });
});

describe('patches', () => {
  it.each(variants)('are multiples of what the network says: %j', (config) => {
    const multiple = patchMultipleOf(config);
    expect(headsOf(config, multiple)[0]).toEqual([1, 3, multiple, 2 * multiple, multiple]);
    expect(() => headsOf(config, multiple / 2)).toThrow(GraphError);
  });
});

describe('heads', () => {
  it('exist beside the finest in training only, and with deep supervision only', () => {
    for (const config of variants) {
      const edge = patchMultipleOf(config);
      expect(headsOf(config, edge), JSON.stringify(config)).toHaveLength(headCount(config));
      expect(headsOf(config, edge, false)).toHaveLength(1);
    }
    const counts = Object.fromEntries(catalogue.map(({ id, config }) => [id, headCount(config)]));
    expect(counts).toMatchObject({ 'qchc-unet': 1, unet3d: 1, 'unet-pp': 4, 'deep-unet3d': 4, nnunet3d: 3 });
    expect(headCount({ name: 'unet-pp', rootFilters: 2, deepSupervision: false })).toBe(1);
    const graph = new Graph();
    const image = graph.input('image', [1, 1, 16, 32, 16]);
    const config = { name: 'nnunet3d', rootFilters: 2, maxFilters: 8, deepSupervision: true } as const;
    const { logits, auxiliary } = buildHeads({ graph, training: true, path: '' }, image, 3, config);
    const grids = [logits, ...auxiliary].map(({ shape }) => shape.slice(2));
    expect(grids).toEqual([
      [16, 32, 16],
      [8, 16, 8],
      [4, 8, 4],
    ]);
  });
});

describe('catalogue', () => {
  it('has every network under its name, with the ablations behind it, each once', () => {
    const ids = catalogue.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(Object.keys(networkDefinitions)));
    expect(ids.slice(0, 5)).toEqual([
      'qchc-unet',
      'qchc-unet-no-quick',
      'qchc-unet-no-hypercolumn',
      'qchc-unet-neither',
      'attention-unet3d',
    ]);
    expect(new Set(ids).size).toBe(catalogue.length);
    expect(catalogue[1]).toMatchObject({
      title: 'QC-HC U-Net without quick connection',
      source: 'Zhang, Ren, Wei, Sci Rep 2021, ablation',
      config: { name: 'qchc-unet', rootFilters: 16, quickConnection: false, hypercolumn: true },
    });
    expect(new Set(catalogue.map(({ config }) => networkVariables(config, 2).size)).size).toBeGreaterThan(5);
  });
});
