/** Where an executable is in its life: runs that overlap, or come after `dispose`, are faults of the caller. */
export class RunState {
  #state: 'ready' | 'running' | 'disposed' = 'ready';

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#state !== 'ready') throw new Error(`run: this executable is ${this.#state}; runs do not overlap`);
    this.#state = 'running';
    try {
      return await work();
    } finally {
      if (this.#state === 'running') this.#state = 'ready';
    }
  }

  /** True the first time. */
  dispose(): boolean {
    const first = this.#state !== 'disposed';
    this.#state = 'disposed';
    return first;
  }
}
