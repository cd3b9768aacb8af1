// Reads built declaration files (.d.ts): which names a module exports, where each is declared, and what the declarations
// refer to. TypeScript 7 has no compiler API in JavaScript, so the text that it emits is parsed.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';

/**
 * @typedef {object} Declaration
 * @property {string} file
 * @property {string} name  in its file
 * @property {string} text  without comments, beginning with `export`
 * @property {readonly string[]} refersTo  names of types and values, in its file
 *
 * @typedef {{ readonly file: string, readonly name: string } | { readonly package: string, readonly name: string }} Origin
 *   where a name comes from: a file of this package, or another package
 *
 * @typedef {object} Module
 * @property {Map<string, Declaration[]>} declared  overloads and merged declarations are several
 * @property {Map<string, Origin>} exported
 * @property {Map<string, Origin>} imported
 * @property {string[]} all  files whose exports are all exported
 *
 * @typedef {{ type: string, start: number, end: number, [key: string]: unknown }} Node
 */

/** @type {Map<string, Module>} */
const known = new Map();

/**
 * Everything that a module exports, re-exports resolved.
 * @param {string} file
 * @returns {Map<string, Origin>} by exported name
 */
export function exportsOf(file) {
  const { exported, all } = moduleOf(file);
  const found = new Map(all.flatMap((other) => [...exportsOf(other)]));
  for (const [name, origin] of exported) found.set(name, originOf(origin));
  return found;
}

/**
 * @param {Origin} origin
 * @returns {Declaration[]} none for another package's
 */
export function declarationsAt(origin) {
  return 'file' in origin ? (moduleOf(origin.file).declared.get(origin.name) ?? []) : [];
}

/**
 * What a name in a file means: a declaration of the package, another package's, or undefined for a global or a parameter.
 * @param {string} file
 * @param {string} name
 * @returns {Origin | undefined}
 */
export function resolveName(file, name) {
  const { declared, imported } = moduleOf(file);
  if (declared.has(name)) return { file, name };
  const origin = imported.get(name);
  return origin && originOf(origin);
}

/**
 * Follows re-exports to the declaration.
 * @param {Origin} origin
 * @returns {Origin}
 */
function originOf(origin) {
  if ('package' in origin || moduleOf(origin.file).declared.has(origin.name)) return origin;
  const { exported, imported, all } = moduleOf(origin.file);
  const next = exported.get(origin.name) ?? imported.get(origin.name);
  if (next && !('file' in next && next.file === origin.file && next.name === origin.name)) return originOf(next);
  for (const file of all) {
    const found = exportsOf(file).get(origin.name);
    if (found) return found;
  }
  const other = imported.get(origin.name);
  if (other) return originOf(other);
  throw new Error(`${origin.file} does not declare ${origin.name}`);
}

/**
 * @param {string} file
 * @returns {Module}
 */
function moduleOf(file) {
  let module = known.get(file);
  if (!module) known.set(file, (module = parse(file)));
  return module;
}

/**
 * @param {string} file
 * @returns {Module}
 */
function parse(file) {
  const source = readFileSync(file, 'utf8');
  const { program, comments, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  /** @type {Module} */
  const module = { declared: new Map(), exported: new Map(), imported: new Map(), all: [] };

  /** @param {{ start: number, end: number }} node */
  const textOf = ({ start, end }) => {
    let text = '';
    let at = start;
    for (const comment of comments) {
      if (comment.start < at || comment.end > end) continue;
      text += source.slice(at, comment.start);
      at = comment.end;
    }
    return (text + source.slice(at, end))
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{2,}/g, '\n')
      .replace(/^ {4,}/gm, (indent) => indent.slice(indent.length / 2))
      .replace(/^(export )?(declare )?/, 'export ');
  };
  /**
   * @param {string} name
   * @param {Node} node
   */
  const declare = (name, node) => {
    const refersTo = [...namesIn(node)].filter((other) => other !== name);
    const list = module.declared.get(name) ?? [];
    module.declared.set(name, [...list, { file, name, text: textOf(node), refersTo }]);
  };

  for (const statement of /** @type {Node[]} */ (/** @type {unknown} */ (program.body))) {
    const { type } = statement;
    const from = /** @type {{ value: string } | null | undefined} */ (statement['source'])?.value;
    const specifiers = /** @type {Node[]} */ (statement['specifiers'] ?? []);
    if (type === 'ImportDeclaration') {
      for (const one of specifiers) {
        const { name: local } = /** @type {{ name: string }} */ (one['local']);
        const name =
          one.type === 'ImportSpecifier'
            ? nameOf(one['imported'])
            : one.type === 'ImportDefaultSpecifier'
              ? 'default'
              : '*';
        module.imported.set(local, originIn(file, from ?? '', name));
      }
    } else if (type === 'ExportAllDeclaration') {
      const all = originIn(file, from ?? '', '*');
      if (!('file' in all) || (statement['exported'] ?? undefined) !== undefined)
        throw new Error(`${file}: export * of this kind is not read`);
      module.all.push(all.file);
    } else if (type === 'ExportNamedDeclaration') {
      for (const one of specifiers) {
        const local = nameOf(one['local']);
        module.exported.set(
          nameOf(one['exported']),
          from === undefined ? { file, name: local } : originIn(file, from, local),
        );
      }
      const declaration = /** @type {Node | null} */ (statement['declaration'] ?? null);
      for (const name of declaration ? declaredNames(declaration) : []) {
        declare(name, { ...declaration, start: statement.start, end: statement.end, type: declaration?.type ?? '' });
        module.exported.set(name, { file, name });
      }
    } else if (type === 'ExportDefaultDeclaration' || type === 'TSExportAssignment') {
      throw new Error(`${file}: default exports are not read`);
    } else {
      for (const name of declaredNames(statement)) declare(name, statement);
    }
  }
  return module;
}

/**
 * @param {string} file
 * @param {string} from
 * @param {string} name
 * @returns {Origin}
 */
function originIn(file, from, name) {
  if (!from.startsWith('.')) return { package: from, name };
  const target = join(dirname(file), from.replace(/\.js$/, '.d.ts'));
  if (!existsSync(target)) throw new Error(`${file} refers to ${from}, which is not built`);
  return { file: target, name };
}

/**
 * @param {unknown} identifier  or a string literal
 * @returns {string}
 */
function nameOf(identifier) {
  const { name, value } = /** @type {{ name?: string, value?: string }} */ (identifier);
  return name ?? value ?? '';
}

/**
 * @param {Node} node
 * @returns {string[]}
 */
function declaredNames(node) {
  if (node.type === 'VariableDeclaration') {
    return /** @type {Node[]} */ (node['declarations']).map((one) => nameOf(one['id']));
  }
  return (node['id'] ?? undefined) === undefined ? [] : [nameOf(node['id'])];
}

/**
 * Identifiers that may refer to something declared elsewhere.
 * @param {unknown} node
 * @param {Set<string>} [found]
 * @returns {Set<string>}
 */
function namesIn(node, found = new Set()) {
  if (Array.isArray(node)) for (const one of node) namesIn(one, found);
  else if (node !== null && typeof node === 'object') {
    const { type, name } = /** @type {{ type?: string, name?: unknown }} */ (node);
    if (type === 'Identifier' && typeof name === 'string') found.add(name);
    for (const [key, value] of Object.entries(node)) {
      // Names of members are no references.
      const member = key === 'key' && !(/** @type {{ computed?: boolean }} */ (node).computed);
      if (!member) namesIn(value, found);
    }
  }
  return found;
}
