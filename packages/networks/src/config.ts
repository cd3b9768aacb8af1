/** The configuration of a network, `{ name, …its options }`, checked and answered by the network of that name. */
import type { GraphNode } from '@quickcolumn/graph';
import { z } from 'zod';
import type { Builder } from './blocks/builder.js';
import type { NetworkHeads } from './blocks/heads.js';
import type { NetworkDefinition } from './definition.js';
import { networkDefinitions } from './networks.js';

type Definitions = typeof networkDefinitions;

export type NetworkName = keyof Definitions;

export type NetworkConfig = {
  [Name in NetworkName]: { readonly name: Name } & Definitions[Name]['published'];
}[NetworkName];

const [first, ...others] = Object.entries<NetworkDefinition>(networkDefinitions).map(([name, { options }]) =>
  z.strictObject({ name: z.literal(name), ...options }),
);

/** Checks a network configuration from a file; unknown options are errors. */
export const networkSchema: z.ZodType<NetworkConfig> = z.discriminatedUnion('name', [
  first,
  ...others,
]) as unknown as z.ZodType<NetworkConfig>;

const definitionOf = ({ name }: NetworkConfig): NetworkDefinition => networkDefinitions[name];

/** Image [N, 1, D, H, W] → logits [N, classes, D, H, W], and in training those of the auxiliary heads. */
export function buildHeads(builder: Builder, image: GraphNode, classes: number, config: NetworkConfig): NetworkHeads {
  return definitionOf(config).build(builder, image, classes, config);
}

/** Heads that a training of this network compares with the truth: 1, more with deep supervision. */
export function headCount(config: NetworkConfig): number {
  return definitionOf(config).headCount(config);
}

/** What every side of a patch of this network must be a multiple of. */
export function patchMultipleOf(config: NetworkConfig): number {
  return definitionOf(config).patchMultiple(config);
}
