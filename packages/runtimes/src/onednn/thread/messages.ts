/** What the runtime and its worker thread say to each other. Each request gets one reply with the same number. */
import type { ErrorJson } from '@quickcolumn/errors';
import type { Graph } from '@quickcolumn/graph';
import type { NamedTensor } from '../../contract/runtime.js';

/** A graph without its methods, as it passes between threads. */
export type PlainGraph = Pick<Graph, 'nodes' | 'inputs' | 'variables' | 'outputs' | 'assignments'>;

export type Inputs = Readonly<Record<string, Float32Array | Uint8Array>>;

interface OneDnnOptions {
  readonly bfloat16: boolean;
  readonly threads: number;
  readonly smallElements: number;
}

export interface Requests {
  probe: { readonly ask: Record<string, never>; readonly answer: Probe };
  compile: {
    readonly ask: { readonly graph: PlainGraph; readonly options: OneDnnOptions };
    readonly answer: { readonly id: number; readonly bytes: number; readonly slow: readonly string[] };
  };
  run: {
    readonly ask: { readonly id: number; readonly inputs: Inputs };
    readonly answer: Record<string, Float32Array>;
  };
  profile: { readonly ask: { readonly id: number; readonly inputs: Inputs }; readonly answer: readonly StepTime[] };
  read: { readonly ask: { readonly id: number }; readonly answer: Map<string, NamedTensor> };
  write: {
    readonly ask: { readonly id: number; readonly values: ReadonlyMap<string, NamedTensor> };
    readonly answer: null;
  };
  dispose: { readonly ask: { readonly id: number }; readonly answer: null };
}

export interface StepTime {
  readonly label: string;
  readonly op: string;
  readonly flop: number;
  readonly milliseconds: number;
}

/** What the library on this machine is. */
interface Probe {
  readonly version: string;
  readonly path: string;
  readonly instructions: number;
  readonly bfloat16: boolean;
}

export type RequestKind = keyof Requests;

export interface Request {
  readonly number: number;
  readonly kind: RequestKind;
  readonly ask: unknown;
}

export interface Reply {
  readonly number: number;
  readonly answer?: unknown;
  readonly error?: ErrorJson;
}
