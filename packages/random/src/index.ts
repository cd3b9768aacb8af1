/** Random numbers that are a pure function of seed, epoch, sample and use. */
export { createRandom, type RandomStream, type SampleKey, type StreamName } from './random.js';
