/**
 * What every runtime offers: it compiles a static graph once and runs it many times.
 * Variables stay with the executable between runs; `bytes` is what the run is planned to hold, known before it runs.
 */
import type { Graph } from '@quickcolumn/graph';

export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export type Precision = 'float32' | 'bfloat16' | 'float16';

export interface CompileOptions {
  /** CPU threads, default: all cores. */
  readonly threads?: number;
  /** Arithmetic of convolutions and images, default: the runtime's own choice. Not every runtime has a choice. */
  readonly precision?: Precision;
}

export interface Executable {
  /** Planned bytes of variables and intermediate tensors, in the memory that `Runtime.memory` names. */
  readonly bytes: number;
  /** Runs once: assigns the variables and returns the outputs by name (owned by the caller). */
  run(inputs: Readonly<Record<string, Float32Array | Uint8Array>>): Promise<Record<string, Float32Array>>;
  /** Copies of all variables. */
  readVariables(): Promise<Map<string, NamedTensor>>;
  /** Sets variables; names that the graph does not have are refused. */
  writeVariables(values: ReadonlyMap<string, NamedTensor>): Promise<void>;
  dispose(): Promise<void>;
}

export interface OpenModelOptions extends CompileOptions {
  /** Files that hold weights of the model, by the names that it gives them. */
  readonly externalFiles?: ReadonlyMap<string, Uint8Array>;
}

/** An ONNX file, executed with its own operators. Runs do not overlap. */
export interface ModelSession {
  /**
   * @param inputs float32 tensors by name, not kept
   * @returns the float32 outputs that were asked for, owned by the caller
   * @throws RuntimeError where the model fails, such as for a shape that it does not take
   */
  run(
    inputs: Readonly<Record<string, NamedTensor>>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, NamedTensor>>>;
  dispose(): Promise<void>;
}

export interface Runtime {
  readonly name: string;
  /** Version of the library, or name of the adapter, behind it, for reports. */
  readonly version: string;
  /**
   * Which of the processor's instructions it uses, as the library names them; absent where it does not tell. Virtual
   * machines hide some of them behind the same name of the processor.
   */
  readonly instructions?: string;
  /** What `compile` uses where no precision is asked for. */
  readonly precision: Precision;
  /** All that it computes in on this machine, float32 first. */
  readonly precisions: readonly Precision[];
  /** Whose memory `Executable.bytes` is of: the machine's own, or a graphics card's, which the machine's does not limit. */
  readonly memory: 'host' | 'card';
  /** How many windows of a prediction to compute in one batch: 1 where more gain nothing. */
  readonly windowsAtOnce: number;
  /** @throws RuntimeError for a precision that is not among `precisions`, and where the graph does not fit */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /**
   * Opens an ONNX file as it is; absent where a runtime executes graphs of ours alone.
   * @throws RuntimeError where the library refuses the file
   */
  openModel?(bytes: Uint8Array, options?: OpenModelOptions): Promise<ModelSession>;
  /** Ends the device and all executables on it; absent where there is nothing to end. */
  close?(): void;
}
