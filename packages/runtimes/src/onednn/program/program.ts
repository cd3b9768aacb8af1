/**
 * A program: the steps that execute a graph with oneDNN, and where each tensor lives.
 *
 * It is made in two turns. While the graph is lowered, steps and tensors are only listed (`Program.add`), so that the
 * memory is known before any is taken. `bind` then allocates one arena, gives each tensor its place by its lifetime
 * and creates the primitives. Steps that read nothing but constants and variables that no run changes (the weights
 * of a prediction) run once, not every time.
 */
import { elementCount, type Shape } from '@quickcolumn/graph';
import { argument, type DataType, type Descriptor, query } from '../library/api.js';
import { execArguments, type LoadedLibrary } from '../library/library.js';
import type { StepTime } from '../thread/messages.js';
import { placeIntervals } from './placement.js';

/**
 * `flat`: row-major as in the graph. `image`: [N, C, D, H, W] with the channels innermost (N, D, H, W, C), dense:
 * the layout in which oneDNN fuses elementwise work. `packed`: as a primitive wants its weights or workspace.
 */
export type Layout = 'flat' | 'image' | 'packed';

export interface Tensor {
  readonly id: number;
  readonly shape: Shape;
  readonly layout: Layout;
  readonly type: DataType;
  readonly bytes: number;
  /** Kept tensors live as long as the program: variables, inputs, constants. The others share the arena. */
  kept: boolean;
  /** The same memory as another tensor. */
  same?: Tensor;
  /** The value never changes between runs unless the variables are set. */
  stable: boolean;
}

export interface Operand {
  readonly argument: number;
  readonly tensor: Tensor;
  readonly descriptor: Descriptor;
  readonly role: 'read' | 'write';
  /** Bytes into the tensor. */
  readonly offset?: number;
}

export interface Step {
  /** What it does, for the time table: operation and implementation. */
  readonly label: string;
  /** Name of the graph operation it stands for. */
  readonly op: string;
  readonly flop: number;
  readonly reads: readonly Tensor[];
  readonly writes: readonly Tensor[];
  /** `[result, input]`: the result may take over the input's memory. */
  readonly inPlace?: readonly [Tensor, Tensor];
  readonly scratchBytes: number;
  /** Creates what the step needs and returns what runs it. */
  bind(place: Place): () => void;
}

/** What a step sees of the memory once it is there. */
export interface Place {
  memory(descriptor: Descriptor, tensor: Tensor, offset?: number): bigint;
  scratch(descriptor: Descriptor): bigint;
  /** A view on a float32 tensor. */
  floats(tensor: Tensor): Float32Array;
  bytes(tensor: Tensor): Uint8Array;
}

/** A program with its memory. Owned by the caller; nothing may be used after `dispose`. */
export interface BoundProgram {
  /** Without the scratch memory, of which a run touches a part (scratch.ts). */
  readonly bytes: number;
  /** Runs all steps, then reads what the caller wants, then gives the variables their next values. */
  run<T>(read: () => T): T;
  /** Runs once with a clock around each step. */
  profile(): StepTime[];
  /** The variables were set from outside: what depends on them is computed again. */
  refresh(): void;
  floats(tensor: Tensor): Float32Array;
  bytesView(tensor: Tensor): Uint8Array;
  dispose(): void;
}

/** Tensors up to this size lie side by side and are never overlaid, so that one view serves them all. */
const smallBytes = 32_768;
const alignment = 64;
const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
const typeBytes: Readonly<Record<DataType, number>> = { float32: 4, bfloat16: 2, uint8: 1 };

const rootOf = (tensor: Tensor): Tensor => (tensor.same ? rootOf(tensor.same) : tensor);

/** The library's own plain loops, as opposed to code made for the processor. */
export const isPlain = (implementation: string): boolean => /(^|_)(ref|gemm)\b/.test(implementation);

export class Program {
  readonly steps: Step[] = [];
  readonly tensors: Tensor[] = [];
  /** Steps that run on the library's plain C++ loops; a network should have none. */
  readonly slow: string[] = [];
  readonly library: LoadedLibrary;
  private readonly descriptors: bigint[] = [];
  private readonly primitives: bigint[] = [];
  private readonly assignments: (readonly [variable: Tensor, value: Tensor])[] = [];
  private readonly results: Tensor[] = [];

  constructor(library: LoadedLibrary) {
    this.library = library;
  }

  tensor(shape: Shape, layout: Layout, options: { type?: DataType; kept?: boolean; bytes?: number } = {}): Tensor {
    const { type = 'float32', kept = false } = options;
    const bytes = options.bytes ?? elementCount(shape) * typeBytes[type];
    const tensor: Tensor = { id: this.tensors.length, shape, layout, type, bytes, kept, stable: false };
    this.tensors.push(tensor);
    return tensor;
  }

  /** The same memory read as another layout or shape. */
  reinterpret(tensor: Tensor, shape: Shape, layout: Layout): Tensor {
    const other = this.tensor(shape, layout, { type: tensor.type, bytes: tensor.bytes });
    other.same = tensor;
    return other;
  }

  add(step: Step): void {
    this.steps.push(step);
  }

  /** Lists a primitive as a step. The primitive descriptor becomes the program's. */
  addPrimitive(
    op: string,
    descriptor: bigint,
    operands: readonly Operand[],
    options: { flop?: number; inPlace?: readonly [Tensor, Tensor] } = {},
  ): void {
    const { library } = this;
    this.own(descriptor);
    const implementation = library.implementation(descriptor);
    const label = `${op} ${implementation}`;
    if (isPlain(implementation)) this.slow.push(label);
    const scratch = library.queryDescriptor(descriptor, query.scratchpad);
    const tensorsOf = (role: Operand['role']): Tensor[] =>
      operands.filter((operand) => operand.role === role).map(({ tensor }) => tensor);
    this.add({
      label,
      op,
      flop: options.flop ?? 0,
      reads: tensorsOf('read'),
      writes: tensorsOf('write'),
      ...(options.inPlace ? { inPlace: options.inPlace } : {}),
      scratchBytes: scratch === 0n ? 0 : library.bytesOf(scratch),
      bind: (place) => {
        const primitive = library.primitive(descriptor);
        this.primitives.push(primitive);
        const list = operands.map(
          (operand) => [operand.argument, place.memory(operand.descriptor, operand.tensor, operand.offset)] as const,
        );
        if (scratch !== 0n && library.bytesOf(scratch) > 0) list.push([argument.scratchpad, place.scratch(scratch)]);
        const packed = execArguments(list);
        return () => library.execute(primitive, list.length, packed, label);
      },
    });
  }

  /** A primitive descriptor to destroy with the program. */
  own(descriptor: bigint): void {
    this.descriptors.push(descriptor);
  }

  /** Destroys what was listed; for a program that is not bound. */
  discard(): void {
    for (const descriptor of this.descriptors.splice(0)) this.library.destroyDescriptor(descriptor);
  }

  /** After a run the variable holds the value. */
  assign(variable: Tensor, value: Tensor): void {
    this.assignments.push([variable, value]);
  }

  /** The tensor is read after the run. */
  publish(tensor: Tensor): void {
    this.results.push(tensor);
  }

  /** Decides places; called once, after the last step was added. */
  private plan(): {
    once: boolean[];
    copies: (readonly [Tensor, Tensor])[];
    sizes: Sizes;
    offsets: Map<number, number>;
  } {
    const { steps } = this;
    const once = steps.map(({ reads, writes }) => {
      if (!reads.every((tensor) => rootOf(tensor).stable)) return false;
      for (const tensor of writes) Object.assign(rootOf(tensor), { stable: true, kept: true });
      return true;
    });
    const lastRead = new Map<number, number>();
    const firstWrite = new Map<number, number>();
    const touch = (tensor: Tensor, at: number): void => {
      const { id } = rootOf(tensor);
      if (!firstWrite.has(id)) firstWrite.set(id, at);
      lastRead.set(id, Math.max(at, lastRead.get(id) ?? 0));
    };
    steps.forEach(({ reads, writes }, at) => {
      for (const tensor of [...reads, ...writes]) touch(tensor, at);
    });
    for (const tensor of this.results) touch(tensor, steps.length);
    // A variable that becomes another one's value is read at the very end.
    for (const [, value] of this.assignments) if (rootOf(value).kept) touch(value, steps.length);
    const copies = this.assignInPlace(lastRead, firstWrite);
    for (const [, value] of copies) touch(value, steps.length);
    // A result that takes over its input's memory.
    steps.forEach(({ inPlace }, at) => {
      if (!inPlace) return;
      const [to, from] = inPlace.map(rootOf);
      const free = !from.kept && !to.kept && from !== to && from.bytes === to.bytes && from.bytes > smallBytes;
      if (!free || lastRead.get(from.id) !== at || firstWrite.get(to.id) !== at) return;
      to.same = from;
      lastRead.set(from.id, lastRead.get(to.id) ?? at);
    });
    const offsets = new Map<number, number>();
    const sizes: Sizes = { small: 0, kept: 0, arena: 0, scratch: 0 };
    const intervals: { id: number; bytes: number; from: number; to: number }[] = [];
    for (const tensor of this.tensors) {
      if (tensor.same) continue;
      const bytes = aligned(tensor.bytes);
      const region = tensor.bytes <= smallBytes ? 'small' : tensor.kept ? 'kept' : 'arena';
      if (region === 'arena') {
        const from = firstWrite.get(tensor.id);
        if (from !== undefined) intervals.push({ id: tensor.id, bytes, from, to: lastRead.get(tensor.id) ?? from });
        continue;
      }
      offsets.set(tensor.id, sizes[region]);
      sizes[region] += bytes;
    }
    const placed = placeIntervals(intervals);
    for (const [id, offset] of placed.offsets) offsets.set(id, offset);
    sizes.arena = placed.bytes;
    sizes.scratch = aligned(steps.reduce((most, { scratchBytes }) => Math.max(most, scratchBytes), 0));
    return { once, copies, sizes, offsets };
  }

  /** A variable's next value is computed in its own place where nothing reads the old one afterwards. */
  private assignInPlace(
    lastRead: ReadonlyMap<number, number>,
    firstWrite: ReadonlyMap<number, number>,
  ): (readonly [Tensor, Tensor])[] {
    const published = new Set(this.results.map((tensor) => rootOf(tensor).id));
    const taken = new Set<number>();
    return this.assignments.filter(([variable, value]) => {
      const from = rootOf(value);
      const made = firstWrite.get(from.id);
      const overwrites = made !== undefined && (lastRead.get(variable.id) ?? -1) <= made;
      const free = !from.kept && !taken.has(from.id) && !published.has(variable.id) && from.bytes === variable.bytes;
      if (!overwrites || !free || !this.writesElementwise(from, variable, made)) return true;
      taken.add(from.id);
      from.same = variable;
      return false;
    });
  }

  /** The step that makes the value may read the variable only element by element. */
  private writesElementwise(value: Tensor, variable: Tensor, at: number): boolean {
    const { reads, inPlace } = this.steps[at];
    if (!reads.some((tensor) => rootOf(tensor) === variable)) return true;
    return inPlace !== undefined && rootOf(inPlace[0]) === value;
  }

  /** Allocates, creates all primitives and returns the runnable program. Frees everything if that fails. */
  bind(): BoundProgram {
    const { library, steps } = this;
    const { once, copies, sizes, offsets } = this.plan();
    const regions: { handle: bigint; address: bigint }[] = [];
    const memories: bigint[] = [];
    const dispose = (): void => {
      for (const primitive of this.primitives.splice(0)) library.destroyPrimitive(primitive);
      for (const memory of memories.splice(0)) library.destroyMemory(memory);
      for (const { handle } of regions.splice(0)) library.destroyMemory(handle);
      this.discard();
    };
    try {
      const take = (bytes: number): bigint => {
        const region = library.allocate(Math.max(bytes, alignment));
        regions.push(region);
        return region.address;
      };
      const starts = { small: take(sizes.small), kept: take(sizes.kept), arena: take(sizes.arena) };
      const scratchAddress = take(sizes.scratch);
      const smallView = library.view(starts.small, Math.max(sizes.small, alignment));
      const views = new Map<number, ArrayBuffer>();
      const addressOf = (tensor: Tensor): bigint => {
        const root = rootOf(tensor);
        const region = root.bytes <= smallBytes ? 'small' : root.kept ? 'kept' : 'arena';
        const offset = offsets.get(root.id);
        if (offset === undefined) throw new RangeError(`tensor ${root.id} was never placed`);
        return starts[region] + BigInt(offset);
      };
      const viewOf = (tensor: Tensor): { buffer: ArrayBuffer; offset: number } => {
        const root = rootOf(tensor);
        if (root.bytes <= smallBytes) return { buffer: smallView, offset: offsets.get(root.id) ?? 0 };
        const view = views.get(root.id) ?? library.view(addressOf(root), root.bytes);
        views.set(root.id, view);
        return { buffer: view, offset: 0 };
      };
      const floats = (tensor: Tensor): Float32Array => {
        const { buffer, offset } = viewOf(tensor);
        return new Float32Array(buffer, offset, tensor.bytes / 4);
      };
      const bytesView = (tensor: Tensor): Uint8Array => {
        const { buffer, offset } = viewOf(tensor);
        return new Uint8Array(buffer, offset, tensor.bytes);
      };
      const memory = (descriptor: Descriptor, address: bigint): bigint => {
        const made = library.memory(descriptor, address);
        memories.push(made);
        return made;
      };
      const runs = steps.map((step) =>
        step.bind({
          memory: (descriptor, tensor, offset = 0) => memory(descriptor, addressOf(tensor) + BigInt(offset)),
          scratch: (descriptor) => memory(descriptor, scratchAddress),
          floats,
          bytes: bytesView,
        }),
      );
      const fixed = runs.filter((_, i) => once[i]);
      const repeated = runs.filter((_, i) => !once[i]);
      const copyPairs = copies.map(([variable, value]) => ({ to: floats(variable), from: floats(value) }));
      let stale = true;
      const refreshed = (): void => {
        if (stale) for (const run of fixed) run();
        stale = false;
      };
      // Variables may change places: all are read before any is written.
      const exchanges = copies.some(([, value]) => rootOf(value).kept);
      const finish = (): void => {
        const values = copyPairs.map(({ from }) => (exchanges ? from.slice() : from));
        copyPairs.forEach(({ to }, i) => to.set(values[i]));
      };
      return {
        bytes: sizes.small + sizes.kept + sizes.arena,
        run(read) {
          refreshed();
          for (const run of repeated) run();
          const result = read();
          finish();
          return result;
        },
        profile() {
          refreshed();
          const times: StepTime[] = [];
          steps.forEach(({ label, op, flop }, i) => {
            if (once[i]) return;
            const start = performance.now();
            runs[i]();
            times.push({ label, op, flop, milliseconds: performance.now() - start });
          });
          finish();
          return times;
        },
        refresh() {
          stale = true;
        },
        floats,
        bytesView,
        dispose,
      };
    } catch (error) {
      dispose();
      throw error;
    }
  }
}

interface Sizes {
  small: number;
  kept: number;
  arena: number;
  scratch: number;
}
