/** Dice and cross-entropy, added, as nnU-Net minimises them. */
import { z } from 'zod';
import { type DiceOptions, diceOptions, diceTerm } from './dice.js';
import type { Loss } from './loss.js';

interface DiceCeConfig extends DiceOptions {
  readonly kind: 'dice-ce';
}

export const diceCe: Loss<DiceCeConfig> = {
  kind: 'dice-ce',
  schema: z.strictObject({ kind: z.literal('dice-ce'), ...diceOptions }),
  voxelTerm: (_graph, { logP }) => logP,
  classTerm: diceTerm,
};
