/** The networks by their names. */
import type { NetworkDefinition } from './definition.js';
import * as list from './network-list.js';

export const networkDefinitions = { ...list } satisfies Readonly<Record<string, NetworkDefinition>>;
