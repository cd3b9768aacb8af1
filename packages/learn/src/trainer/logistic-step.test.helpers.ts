/**
 * For the trainer's tests: a real, tiny model (per-voxel logistic regression with Adam) and seeded samples.
 * Its variables are float32 like a network's, so exactness over a resume means the same thing.
 */
import type { TrainConfig } from '../config/train-config.js';
import type { TrainingCase, TrainingSample } from '../samples/sample-pool.js';
import type { EvaluationStep, NamedTensor, StepResult, TrainingBatch, TrainingStep } from '../step/step-types.js';
import type { SampleSource } from './trainer.js';

const disabled = { probability: 0, range: [1, 1] } as const;

/** Small but complete: 6 epochs of 4 steps with 2 patches each; the rate is lowered on a plateau of 2 epochs. */
export const smallConfig: TrainConfig = {
  version: 2,
  profile: 'quick',
  seed: 7,
  data: {
    list: null,
    images: 'ct',
    labels: 'labels',
    patients: {},
    holdOut: [],
    split: { kind: 'fraction', validation: 0.2 },
  },
  preparation: {
    intensity: 'window',
    clipHu: [-1250, 250],
    spacingMm: [3, 3, 5],
    classes: [
      { value: 0, name: 'background', color: [0, 0, 0] },
      { value: 1, name: 'infection', color: [255, 0, 0] },
    ],
  },
  augmentation: {
    mirror: { probability: 0, swapLabels: true },
    rotation: { probability: 0, degrees: [0, 0] },
    scaling: disabled,
    elastic: { probability: 0, alpha: [0, 0], sigma: [9, 13] },
    gamma: disabled,
    brightness: disabled,
    contrast: disabled,
    noise: { ...disabled, drawn: 'variance' },
    fill: { image: 'air', label: 'background' },
  },
  network: { name: 'unet3d', rootFilters: 1 },
  train: {
    patch: [16, 16, 16],
    batch: 2,
    epochs: 6,
    stepsPerEpoch: 4,
    validationPatches: 2,
    learningRate: 0.3,
    schedule: { kind: 'plateau', factor: 0.1, patience: 2, minDelta: 0.05, cooldown: 1, floor: 1e-5 },
    earlyStop: null,
    maxMinutes: null,
  },
  loss: { alpha: 0.5, beta: 0.5, epsilon: 1e-6 },
  optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 },
  compute: { runtime: 'onnx', precision: 'float32' },
  predict: { overlap: [8, 8, 8] },
};

/** `smallConfig` with other train settings. */
export function configWith(train: Partial<TrainConfig['train']>): TrainConfig {
  return { ...smallConfig, train: { ...smallConfig.train, ...train } };
}

const names = ['weight', 'bias', 'adam.m.weight', 'adam.m.bias', 'adam.v.weight', 'adam.v.bias'] as const;

/** p(infection) = sigmoid(weight · x + bias), trained on mean cross-entropy. */
export class LogisticStep implements TrainingStep, EvaluationStep {
  readonly bytes = 24;
  stepsRun = 0;
  values: Float32Array = Float32Array.of(-0.5, 0.25, 0, 0, 0, 0);

  async run(batch: TrainingBatch, options?: { learningRate: number; step: number }): Promise<StepResult> {
    const { loss, gradient, dice } = this.#forward(batch);
    if (options !== undefined) {
      this.stepsRun++;
      const v = this.values;
      for (const i of [0, 1]) {
        v[2 + i] = 0.9 * v[2 + i] + 0.1 * gradient[i];
        v[4 + i] = 0.999 * v[4 + i] + 0.001 * gradient[i] ** 2;
        const m = v[2 + i] / (1 - 0.9 ** options.step);
        v[i] -= (options.learningRate * m) / (Math.sqrt(v[4 + i] / (1 - 0.999 ** options.step)) + 1e-7);
      }
    }
    return { loss, crossEntropy: loss, tversky: 0, softDice: dice };
  }

  #forward({ image, labels }: TrainingBatch): { loss: number; gradient: [number, number]; dice: [number, number] } {
    const gradient: [number, number] = [0, 0];
    let loss = 0;
    let overlap = 0;
    let sum = 0;
    for (let i = 0; i < image.length; i++) {
      const p = 1 / (1 + Math.exp(-(this.values[0] * image[i] + this.values[1])));
      loss -= Math.log(labels[i] === 1 ? p : 1 - p);
      gradient[0] += ((p - labels[i]) * image[i]) / image.length;
      gradient[1] += (p - labels[i]) / image.length;
      overlap += p * labels[i];
      sum += p + labels[i];
    }
    return { loss: loss / image.length, gradient, dice: [1, (2 * overlap) / sum] };
  }

  async variables(): Promise<Map<string, NamedTensor>> {
    return new Map(names.map((name, i) => [name, { shape: [1], data: this.values.slice(i, i + 1) }]));
  }

  async setVariables(variables: ReadonlyMap<string, NamedTensor>): Promise<void> {
    this.values = Float32Array.from(names, (name) => variables.get(name)?.data[0] ?? Number.NaN);
  }

  async dispose(): Promise<void> {}
}

/** Sample number n depends on n alone, as a SamplePool's does on (seed, epoch, sample). */
export class SeededSamples implements SampleSource {
  waitedMs = 0;
  disposed = false;
  #number: number;

  constructor(startStep: number, config: TrainConfig = smallConfig) {
    this.#number = startStep * config.train.batch;
  }

  async next(): Promise<TrainingSample> {
    return { ...randomScan(this.#number++), caseName: 'seeded' };
  }

  async dispose(): Promise<void> {
    this.disposed = true;
  }
}

/** 16³ uniform values on ±1; infection where a value exceeds 0.3, with one in sixteen labels wrong. */
function randomScan(seed: number): { image: Float32Array; labels: Uint8Array } {
  let state = (Math.imul(seed, 2654435761) ^ 0x9e3779b9) >>> 0;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const image = Float32Array.from({ length: 4096 }, () => 2 * random() - 1);
  const labels = Uint8Array.from(image, (value) => Number(value > 0.3 !== random() < 1 / 16));
  return { image, labels };
}

export function validationCase(name: string, seed: number): TrainingCase {
  return { name, ...randomScan(seed), size: [16, 16, 16], airValue: -1 };
}
