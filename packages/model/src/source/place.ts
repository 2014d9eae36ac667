// Where in a file each value of a document stands, so that every problem can name line and column.
import type { LineCounter } from 'yaml';

/** Steps from a document's root to a value. */
export type Path = readonly (string | number)[];

/** Where a value stands; built beside the value while a document is read. */
export interface Place {
  /** Offset of the value's first character. */
  readonly offset: number;
  /** Offset of the key the value belongs to; the value's own where there is none. */
  readonly keyOffset: number;
  readonly children: ReadonlyMap<string | number, Place>;
}

/** A place as people read it; line and column are 1-based. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** Writes a path as `spec.http[0].headers["x.y"]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!plainKey.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Reads what `formatPath` wrote. */
export function parsePath(text: string): Path {
  const path: (string | number)[] = [];
  for (const [, quoted, index, plain] of text.matchAll(/\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|([^.[\]"]+)/g)) {
    if (quoted !== undefined) path.push(JSON.parse(quoted) as string);
    else if (index !== undefined) path.push(Number(index));
    else if (plain !== undefined) path.push(plain);
  }
  return path;
}

/** The text an object was read from. */
export class ObjectSource {
  readonly file: string;
  readonly #root: Place;
  readonly #lines: LineCounter;

  constructor(file: string, root: Place, lines: LineCounter) {
    this.file = file;
    this.#root = root;
    this.#lines = lines;
  }

  /**
   * Where the value at `path` stands, or its key with `at: 'key'`. A path that leads nowhere gets the place of the deepest
   * value on the way: that is where a missing field is missing.
   */
  locate(path: Path | string, at: 'key' | 'value' = 'value'): Position {
    const steps = typeof path === 'string' ? parsePath(path) : path;
    let place = this.#root;
    let isWhole = true;
    for (const step of steps) {
      const child = place.children.get(step);
      if (child === undefined) {
        isWhole = false;
        break;
      }
      place = child;
    }
    return this.at(at === 'key' || !isWhole ? place.keyOffset : place.offset);
  }

  /** The position of an offset in the file. */
  at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** The source of a part of this object: an item of a List. */
  child(step: string | number): ObjectSource | undefined {
    const place = this.#root.children.get(step);
    return place === undefined ? undefined : new ObjectSource(this.file, place, this.#lines);
  }
}
