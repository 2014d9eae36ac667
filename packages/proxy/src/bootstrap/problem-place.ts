import type { Problem } from '@heddle/base';

/** A place in a file; both are 1-based. */
export interface Position {
  readonly line: number;
  readonly column: number;
  /** Another file than `ParsedFile.file`, where several were put together. */
  readonly file?: string;
}

/** A parsed file and where its values stand. */
export interface ParsedFile {
  /** As the user named it. */
  readonly file: string;
  /** What the YAML or JSON says. */
  readonly value: unknown;
  /** Where the value under these keys and indices stands; null where that isn't known. */
  locate(keys: readonly (string | number)[]): Position | null;
}

/** Adds file, line and column to a problem: those of the field, or of the innermost thing around it that is written. */
export function withPlace(problem: Problem, source: ParsedFile): Problem {
  const { file } = source;
  const keys = keysOf(problem.path ?? '', source.value);
  for (let length = keys.length; length > 0; length--) {
    const position = source.locate(keys.slice(0, length));
    if (position !== null) return { ...problem, file, ...position };
  }
  return { ...problem, file };
}

/**
 * The keys and indices that a path such as `a.b[0].c` stands for in what is written, as far as it is written. Names may be
 * written in camel case, and keys of maps may hold dots.
 */
export function keysOf(path: string, value: unknown): (string | number)[] {
  const keys: (string | number)[] = [];
  let rest = path;
  let current = value;
  while (rest !== '') {
    const step = Array.isArray(current) ? elementStep(rest, current) : memberStep(rest, current);
    if (step === null) break;
    keys.push(step.key);
    current = step.value;
    rest = rest.slice(step.length).replace(/^\./, '');
  }
  return keys;
}

interface Step {
  readonly key: string | number;
  readonly value: unknown;
  /** Characters of the path that it took. */
  readonly length: number;
}

function elementStep(rest: string, list: readonly unknown[]): Step | null {
  const index = /^\[(\d+)\]/.exec(rest);
  const key = Number(index?.[1] ?? list.length);
  return index === null || key >= list.length ? null : { key, value: list[key], length: index[0].length };
}

/** The longest member whose name the path goes on with. */
function memberStep(rest: string, object: unknown): Step | null {
  if (typeof object !== 'object' || object === null) return null;
  let best: Step | null = null;
  for (const [key, value] of Object.entries(object)) {
    for (const name of [key, snakeCase(key), `[${key}]`]) {
      const isNext = rest.startsWith(name) && /^(?:$|[.[])/.test(rest.slice(name.length));
      if (isNext && name.length > (best?.length ?? 0)) best = { key, value, length: name.length };
    }
  }
  return best;
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
