/**
 * Which variables a pattern names. A variable's name is a path, `encoder0/first/conv/weight`, and a pattern is the
 * beginning of one: `encoder0` is all of that level, `encoder0/first` a part of it.
 *
 * `*` stands for anything within one part, `**` for any number of parts. A first part that is a plain word stands for
 * all levels too: `encoder` is encoder0, encoder1, …. Matched by hand, because patterns of a file may be hostile.
 */
import { type NetworkConfig, networkVariables } from '@quickcolumn/networks';
import { TrainError } from '../train-error.js';

export interface FrozenPart {
  readonly pattern: string;
  /** Variables that it names, in the network's order. */
  readonly names: readonly string[];
}

/**
 * What each pattern freezes of a network.
 * @throws TrainError when a pattern names nothing, with what there is to name
 */
export function frozenParts(network: NetworkConfig, patterns: readonly string[]): FrozenPart[] {
  const names = [...networkVariables(network, 2).keys()];
  return patterns.map((pattern) => {
    const matched = names.filter((name) => matches(pattern, name));
    if (matched.length > 0) return { pattern, names: matched };
    const parts = [...new Set(names.map((name) => name.split('/')[0]))].join(', ');
    throw new TrainError(
      `freeze: '${pattern}' names no variable of ${network.name}; its parts are ${parts}, ` +
        `a variable is ${names[0]}; use a part, encoder for all its levels, or * and ** as in encoder*/**/norm`,
      { pattern },
    );
  });
}

/** Whether a pattern names a variable. */
export function matches(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern.split('/');
  const path = name.split('/');
  if (matchesParts([first, ...rest], path)) return true;
  const level = /^(\D+)\d+$/.exec(path[0])?.[1];
  return level === first && matchesParts(rest, path.slice(1));
}

/** Whether the patterns fit the first parts of the path. */
function matchesParts(patterns: readonly string[], path: readonly string[]): boolean {
  const [pattern, ...rest] = patterns;
  if (pattern === undefined) return true;
  if (pattern === '**') {
    // Further ** at the same place add nothing but work.
    const next = rest.findIndex((part) => part !== '**');
    if (next < 0) return true;
    return path.some((_, skipped) => matchesParts(rest.slice(next), path.slice(skipped)));
  }
  return path.length > 0 && matchesPart(pattern, path[0]) && matchesParts(rest, path.slice(1));
}

/** `*` within one part; goes back to the latest star only, so it takes at most length × length steps. */
function matchesPart(pattern: string, text: string): boolean {
  let [p, t, star, from] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      from = t;
    } else if (pattern[p] === text[t]) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++from;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
