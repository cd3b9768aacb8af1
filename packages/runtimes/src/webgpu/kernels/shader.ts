/**
 * Builds one compute pass: declares the bindings of its tensors and the functions through which its code reaches them.
 *
 * `read('x', tensor)` gives the code `x(i)`, `write('y', tensor)` gives `y_set(i, v)`, `update` gives both. Values are
 * f32 for plain tensors, vec4f for blocked ones and for plain ones viewed with `vec4`, u32 for labels; i counts them.
 * The trap: tensors share buffers, and WebGPU refuses a buffer that one pass binds for reading and for writing. So
 * every binding is read_write, and one tensor under two names is one binding (two would be aliases, also refused).
 */
import { RuntimeError } from '../../contract/errors.js';
import { type Binding, elementsOf, type GpuTensor, type Kernel, type KernelLimits } from './kernel.js';

export interface View {
  /** A plain tensor in fours; what lies behind its last element is anything. */
  readonly vec4?: boolean;
  /** Only the values whose i is in this range are reached, from the first up to but not with the last. */
  readonly range?: readonly [number, number];
}

interface PassOptions {
  readonly limits: KernelLimits;
  /** Invocations of a workgroup, default 64. */
  readonly workgroupSize?: number | readonly [number, number, number];
}

export interface GroupedPass extends PassOptions {
  /** A number of workgroups is laid out in up to three dimensions; the code counts them with `group`. */
  readonly workgroups: number | readonly [number, number, number];
  /** The code of one invocation. It sees `local` (vec3u), `lane` (u32, within the workgroup), `id`, `wid` (vec3u). */
  readonly body: string;
}

export interface FlatPass extends PassOptions {
  /** One invocation for each i below `count`, from `first` on (default 0). */
  readonly count: number;
  readonly first?: number;
  /** The code for one `i`. No barriers: some invocations of the last workgroup leave early. */
  readonly body: string;
}

interface Bound {
  readonly first: number;
  readonly access: 'read' | 'write' | 'read_write';
  readonly element: string;
}

/** Throws RuntimeError (`memory`) for more buffers than the adapter binds, RangeError for one tensor in two views. */
export class Shader {
  readonly label: string;
  readonly #bindings: Binding[] = [];
  readonly #bound = new Map<GpuTensor, Bound>();
  readonly #parts: string[] = [];
  #halves = false;

  constructor(label: string) {
    this.label = label;
  }

  read(name: string, tensor: GpuTensor, view: View = {}): this {
    this.#declare(name, tensor, view, 'read');
    return this;
  }

  write(name: string, tensor: GpuTensor, view: View = {}): this {
    this.#declare(name, tensor, view, 'write');
    return this;
  }

  update(name: string, tensor: GpuTensor, view: View = {}): this {
    this.#declare(name, tensor, view, 'read_write');
    return this;
  }

  /** Functions, constants and workgroup variables. */
  add(code: string): this {
    this.#parts.push(code);
    return this;
  }

  get bindingCount(): number {
    return this.#bindings.length;
  }

  build({ limits, workgroupSize = 64, workgroups, body }: GroupedPass): Kernel {
    const size = typeof workgroupSize === 'number' ? [workgroupSize] : workgroupSize;
    const groups = typeof workgroups === 'number' ? spread(workgroups, limits) : workgroups;
    const [x, y] = groups;
    // Uniform within a workgroup, so that barriers may follow.
    const surplus =
      typeof workgroups === 'number' && groups[0] * groups[1] * groups[2] > workgroups
        ? `if (group >= ${workgroups}u) { return; }`
        : '';
    if (this.#bindings.length > limits.maxStorageBuffersPerShaderStage) {
      throw new RuntimeError(
        `the tensors are too large for this graphics adapter: ${this.label} needs ${this.#bindings.length} buffers of the ` +
          `size it allows, and it allows ${limits.maxStorageBuffersPerShaderStage} at a time; use a smaller patch or batch`,
        { runtime: 'webgpu', reason: 'memory' },
      );
    }
    const code = `${this.#halves ? 'enable f16;\n' : ''}${this.#parts.join('\n')}
@compute @workgroup_size(${size.join(', ')})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u,
        @builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = (wid.z * ${y}u + wid.y) * ${x}u + wid.x;
  ${surplus}
  ${body}
}
`;
    return { label: this.label, code, bindings: this.#bindings, workgroups: groups };
  }

  buildEach({ limits, workgroupSize = 64, first = 0, count, body }: FlatPass): Kernel {
    const size = typeof workgroupSize === 'number' ? workgroupSize : workgroupSize.reduce((a, b) => a * b);
    return this.build({
      limits,
      workgroupSize,
      workgroups: Math.max(1, Math.ceil((count - first) / size)),
      body: `let i = ${first > 0 ? `${first}u + ` : ''}group * ${size}u + lane;\n  if (i >= ${count}u) { return; }\n  ${body}`,
    });
  }

  #declare(name: string, tensor: GpuTensor, { vec4 = false, range }: View, access: Bound['access']): void {
    const { element, value, toValue, toStored, unit } = formsOf(tensor, vec4);
    const parts = partsOf(tensor, unit).filter(({ start, end }) => !range || (start < range[1] && end > range[0]));
    const { first } = this.#bind(tensor, parts, { element, access });
    const pieces = parts.map(({ start, end }, at) => ({ variable: `b${first + at}`, start, end }));
    const index = (start: number): string => (start === 0 ? 'i' : `i - ${start}u`);
    const branch = (make: (piece: (typeof pieces)[number]) => string): string =>
      pieces
        .map((piece, at) => (at < pieces.length - 1 ? `if (i < ${piece.end}u) { ${make(piece)} }` : make(piece)))
        .join(' ');
    if (access !== 'write') {
      const get = branch(({ variable, start }) => `return ${toValue(variable, index(start))};`);
      this.#parts.push(`fn ${name}(i: u32) -> ${value} { ${get} }`);
    }
    if (access !== 'read') {
      const set = branch(({ variable, start }) => `${variable}[${index(start)}] = ${toStored('v')}; return;`);
      this.#parts.push(`fn ${name}_set(i: u32, v: ${value}) { ${set} }`);
    }
  }

  #bind(tensor: GpuTensor, parts: readonly Part[], { element, access }: Pick<Bound, 'element' | 'access'>): Bound {
    const known = this.#bound.get(tensor);
    if (known) {
      if (known.element !== element) throw new RangeError(`${this.label} views one tensor in two ways`);
      if (known.access !== access) throw new RangeError(`${this.label} reads and writes one tensor: use update`);
      return known;
    }
    const bound: Bound = { first: this.#bindings.length, access, element };
    this.#bound.set(tensor, bound);
    if (tensor.storage === 'f16') this.#halves = true;
    for (const { part } of parts) {
      const at = this.#bindings.length;
      this.#bindings.push({ tensor, part, access });
      // A fixed length is what the bounds check that WebGPU adds is cheapest with.
      const length = tensor.parts[part] / elementsOf(element);
      this.#parts.push(`@group(0) @binding(${at}) var<storage, read_write> b${at}: array<${element}, ${length}>;`);
    }
    return bound;
  }
}

interface Part {
  readonly part: number;
  /** Values from the first up to but not with the last. */
  readonly start: number;
  readonly end: number;
}

/** The parts of a tensor, counted in values of `unit` elements. */
export function partsOf({ parts }: GpuTensor, unit: number): Part[] {
  let end = 0;
  return parts.map((elements, part) => {
    const start = end;
    end += elements / unit;
    return { part, start, end };
  });
}

interface Forms {
  /** Type of one element of the buffer, and how many tensor elements one value is. */
  readonly element: string;
  readonly unit: number;
  readonly value: string;
  readonly toValue: (variable: string, index: string) => string;
  readonly toStored: (value: string) => string;
}

function formsOf({ layout, storage }: GpuTensor, vec4: boolean): Forms {
  const itself = (value: string): string => value;
  const at = (variable: string, index: string): string => `${variable}[${index}]`;
  if (storage === 'u8') {
    return {
      element: 'u32',
      unit: 1,
      value: 'u32',
      toValue: (variable, index) => `(${variable}[(${index}) >> 2u] >> (((${index}) & 3u) * 8u)) & 255u`,
      toStored: itself,
    };
  }
  const four = layout === 'blocked' || vec4;
  const value = four ? 'vec4f' : 'f32';
  const unit = four ? 4 : 1;
  if (storage === 'f32') return { element: value, unit, value, toValue: at, toStored: itself };
  const element = four ? 'vec4<f16>' : 'f16';
  return {
    element,
    unit,
    value,
    toValue: (variable, index) => `${value}(${variable}[${index}])`,
    toStored: (name) => `${element}(${name})`,
  };
}

/** A number of workgroups in as many dimensions as the limit needs; their product may be larger. */
export function spread(
  workgroups: number,
  { maxComputeWorkgroupsPerDimension: most }: Pick<KernelLimits, 'maxComputeWorkgroupsPerDimension'>,
): readonly [number, number, number] {
  if (workgroups <= most) return [workgroups, 1, 1];
  const rows = Math.ceil(workgroups / most);
  if (rows <= most) return [Math.ceil(workgroups / rows), rows, 1];
  const planes = Math.ceil(rows / most);
  return [most, Math.ceil(rows / planes), planes];
}
