/** Every operation of the graph, by name. */
import * as channels from './channels.js';
import * as classes from './classes.js';
import * as convolution from './convolution.js';
import * as elementwise from './elementwise.js';
import { maxPool, maxPoolGradient, resize, resizeGradient } from './grid.js';
import type { Operation } from './operation.js';

const all: readonly Operation[] = [
  ...Object.values(channels),
  ...Object.values(classes),
  ...Object.values(convolution),
  ...Object.values(elementwise),
  maxPool,
  maxPoolGradient,
  resize,
  resizeGradient,
];

export const operations: ReadonlyMap<string, Operation> = new Map(all.map((operation) => [operation.name, operation]));
