/**
 * Every network and its ablations with the published options: what `quickcolumn networks` lists and what comparisons
 * start from.
 */
import type { NetworkConfig, NetworkName } from './config.js';
import type { NetworkDefinition } from './definition.js';
import { networkDefinitions } from './networks.js';

export interface CatalogueEntry {
  /** Unique; the network's name unless it is an ablation. */
  readonly id: string;
  readonly title: string;
  readonly source: string;
  readonly config: NetworkConfig;
}

function entriesOf(name: string, definition: NetworkDefinition): CatalogueEntry[] {
  const { title, source, published, ablations = [] } = definition;
  const config = { name, ...published } as NetworkConfig;
  return [
    { id: name, title, source, config },
    ...ablations.map((ablation) => ({
      id: `${name}-${ablation.id}`,
      title: `${title} ${ablation.title}`,
      source: `${source}, ablation`,
      config: { ...config, ...ablation.change },
    })),
  ];
}

/** The paper's own network stands first. */
const own: NetworkName = 'qchc-unet';

export const catalogue: readonly CatalogueEntry[] = Object.entries(networkDefinitions)
  .sort(([a], [b]) => Number(b === own) - Number(a === own))
  .flatMap(([name, definition]) => entriesOf(name, definition));
