/** Every loss that a configuration may name, one a line. */
export { crossEntropy } from './cross-entropy.js';
export { dice } from './dice.js';
export { diceCe } from './dice-ce.js';
export { focal } from './focal.js';
export { focalTversky } from './focal-tversky.js';
export { generalizedDice } from './generalized-dice.js';
export { tversky } from './tversky.js';
export { tverskyCe } from './tversky-ce.js';
