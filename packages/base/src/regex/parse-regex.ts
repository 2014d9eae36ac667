// Reads RE2's syntax. What RE2 lacks (back references, look-around) is refused as RE2 does; so are Unicode classes, which
// have no place in paths and headers.
import { type Result, err, ok } from '../result.ts';
import {
  type ByteSet,
  type Node,
  addRange,
  escapedClasses,
  inverted,
  namedClasses,
  singleByte,
  withBothCases,
} from './syntax-tree.ts';

export interface ParsedRegex {
  readonly root: Node;
  /** How many groups capture. */
  readonly captures: number;
}

/** Parses a pattern; the error says what is wrong and where. */
export function parseRegex(pattern: string): Result<ParsedRegex, string> {
  try {
    const parser = new Parser(pattern);
    const root = parser.parseAll();
    return ok({ root, captures: parser.captures });
  } catch (error) {
    if (error instanceof PatternError) return err(error.message);
    throw error;
  }
}

class PatternError extends Error {}

interface Flags {
  readonly ignoresCase: boolean;
  readonly dotTakesNewline: boolean;
  readonly isMultiline: boolean;
  readonly isLazy: boolean;
}

/** RE2's bound on counted repetitions. */
const maxCount = 1000;
const maxDepth = 200;
const newline = 0x0a;
const empty: Node = { kind: 'concatenation', parts: [] };
const controlEscapes: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

class Parser {
  captures = 0;
  private readonly pattern: string;
  private at = 0;
  private depth = 0;
  private flags: Flags = { ignoresCase: false, dotTakesNewline: false, isMultiline: false, isLazy: false };

  constructor(pattern: string) {
    this.pattern = pattern;
  }

  parseAll(): Node {
    const node = this.parseAlternation();
    if (this.at < this.pattern.length) this.fail('an unexpected )');
    return node;
  }

  private parseAlternation(): Node {
    const parts = [this.parseConcatenation()];
    while (this.take('|')) parts.push(this.parseConcatenation());
    return parts.length === 1 ? parts[0]! : { kind: 'alternation', parts };
  }

  private parseConcatenation(): Node {
    const parts: Node[] = [];
    while (this.at < this.pattern.length && !this.sees('|') && !this.sees(')')) {
      const node = this.parseAtom();
      parts.push(this.parseRepetitions(node));
    }
    return parts.length === 1 ? parts[0]! : { kind: 'concatenation', parts };
  }

  private parseRepetitions(node: Node): Node {
    const start = this.at;
    const bounds = this.parseBounds();
    if (bounds === null) return node;
    const [min, max] = bounds;
    const isGreedy = this.take('?') === this.flags.isLazy;
    const after = this.at;
    if (this.parseBounds() !== null) {
      this.at = after;
      this.fail(`a repetition of the repetition ${this.pattern.slice(start, after)}`);
    }
    return { kind: 'repetition', node, min, max, isGreedy };
  }

  private parseBounds(): [number, number] | null {
    if (this.take('*')) return [0, -1];
    if (this.take('+')) return [1, -1];
    if (this.take('?')) return [0, 1];
    const counted = /^\{(\d+)(?:(,)(\d*))?\}/.exec(this.pattern.slice(this.at));
    if (counted === null) return null;
    const min = Number(counted[1]);
    const max = counted[2] === undefined ? min : counted[3] === '' ? -1 : Number(counted[3]);
    if (min > maxCount || max > maxCount) this.fail(`a repetition of more than ${maxCount} times`);
    if (max >= 0 && max < min) this.fail('a repetition whose bounds are reversed');
    this.at += counted[0].length;
    return [min, max];
  }

  private parseAtom(): Node {
    const character = this.pattern[this.at]!;
    switch (character) {
      case '(':
        return this.parseGroup();
      case '[':
        return this.bytes(this.parseClass());
      case '.': {
        this.at++;
        const all = new Uint8Array(256).fill(1);
        if (!this.flags.dotTakesNewline) all[newline] = 0;
        return { kind: 'bytes', set: all };
      }
      case '^':
        this.at++;
        return { kind: 'assertion', assertion: this.flags.isMultiline ? 'line-begin' : 'text-begin' };
      case '$':
        this.at++;
        return { kind: 'assertion', assertion: this.flags.isMultiline ? 'line-end' : 'text-end' };
      case '\\':
        return this.parseEscape();
      case '*':
      case '+':
      case '?':
        return this.fail(`nothing to repeat before ${character}`);
      default: {
        const code = this.pattern.codePointAt(this.at)!;
        this.at += code > 0xffff ? 2 : 1;
        return this.literal(code);
      }
    }
  }

  private parseGroup(): Node {
    this.at++;
    if (++this.depth > maxDepth) this.fail('groups nested too deeply');
    const outer = this.flags;
    let index = 0;
    if (this.take('?')) {
      const name = /^P?<([^>]*)>/.exec(this.pattern.slice(this.at));
      if (name !== null && /^\w+$/.test(name[1]!)) {
        this.at += name[0].length;
        index = ++this.captures;
      } else if (!this.parseFlags()) {
        // `(?i)` holds to the end of the group that it stands in.
        this.depth--;
        return empty;
      }
    } else {
      index = ++this.captures;
    }
    const node = this.parseAlternation();
    if (!this.take(')')) this.fail('a missing )');
    this.flags = outer;
    this.depth--;
    return index === 0 ? node : { kind: 'capture', node, index };
  }

  /** The flags of `(?flags)` or `(?flags:`; true where a group follows. */
  private parseFlags(): boolean {
    const found = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.pattern.slice(this.at));
    if (found === null) return this.fail('a group of a kind that RE2 lacks');
    this.at += found[0].length;
    const on = found[1]!;
    const off = found[2] ?? '';
    const flag = (letter: string, now: boolean): boolean =>
      (now || on.includes(letter)) && !off.includes(letter);
    this.flags = {
      ignoresCase: flag('i', this.flags.ignoresCase),
      dotTakesNewline: flag('s', this.flags.dotTakesNewline),
      isMultiline: flag('m', this.flags.isMultiline),
      isLazy: flag('U', this.flags.isLazy),
    };
    return found[3] === ':';
  }

  private parseEscape(): Node {
    const letter = this.pattern[this.at + 1];
    switch (letter) {
      case 'A':
      case 'z':
      case 'b':
      case 'B': {
        this.at += 2;
        const assertions = { A: 'text-begin', z: 'text-end', b: 'word-edge', B: 'no-word-edge' } as const;
        return { kind: 'assertion', assertion: assertions[letter] };
      }
      case 'C':
        this.at += 2;
        return { kind: 'bytes', set: new Uint8Array(256).fill(1) };
      case 'Q': {
        const end = this.pattern.indexOf('\\E', this.at);
        const text = this.pattern.slice(this.at + 2, end < 0 ? this.pattern.length : end);
        this.at = end < 0 ? this.pattern.length : end + 2;
        if (this.parseBounds() !== null) this.fail('a repetition of \\Q…\\E');
        return { kind: 'concatenation', parts: Array.from(text, (one) => this.literal(one.codePointAt(0)!)) };
      }
      default: {
        const set = letter === undefined ? undefined : escapedClasses[letter];
        if (set === undefined) return this.literal(this.parseEscapedCode());
        this.at += 2;
        return this.bytes(set);
      }
    }
  }

  /** The character that an escape of a single one stands for. */
  private parseEscapedCode(): number {
    const rest = this.pattern.slice(this.at + 1);
    const hex = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(rest);
    const octal = /^(?:0[0-7]{0,2}|[1-7][0-7]{2})/.exec(rest);
    if (hex !== null || octal !== null) {
      const code = hex === null ? parseInt(octal![0], 8) : parseInt(hex[1] ?? hex[2]!, 16);
      this.at += 1 + (hex ?? octal)![0].length;
      return code;
    }
    const letter = rest[0];
    if (letter === undefined) return this.fail('a \\ at the end');
    const control = controlEscapes[letter];
    if (control === undefined && /[0-9A-Za-z]/.test(letter)) {
      return this.fail(/[1-9]/.test(letter) ? 'a back reference, which RE2 lacks' : `the escape \\${letter}`);
    }
    const code = control ?? rest.codePointAt(0)!;
    this.at += code > 0xffff ? 3 : 2;
    return code;
  }

  private parseClass(): ByteSet {
    const start = this.at++;
    const isInverted = this.take('^');
    const set = new Uint8Array(256);
    let isFirst = true;
    while (isFirst || !this.sees(']')) {
      if (this.at >= this.pattern.length) {
        this.at = start;
        this.fail('a missing ]');
      }
      isFirst = false;
      this.parseClassItem(set);
    }
    this.at++;
    // Case counts before the inversion: `(?i)[^a]` leaves out `A` as well.
    const folded = this.flags.ignoresCase ? withBothCases(set) : set;
    return isInverted ? inverted(folded) : folded;
  }

  private parseClassItem(set: ByteSet): void {
    const named = /^\[:(\^?)(\w+):\]/.exec(this.pattern.slice(this.at));
    const letter = this.sees('\\') ? this.pattern[this.at + 1] : undefined;
    const escaped = letter === undefined ? undefined : escapedClasses[letter];
    if (named !== null || escaped !== undefined) {
      const found = named === null ? escaped : namedClasses[named[2]!];
      if (found === undefined) return this.fail(`the class ${named![0]}`);
      this.at += named === null ? 2 : named[0].length;
      const members = named?.[1] === '^' ? inverted(found) : found;
      for (let byte = 0; byte < 256; byte++) if (members[byte] === 1) set[byte] = 1;
      return;
    }
    const low = this.classByte();
    if (!this.sees('-') || this.pattern[this.at + 1] === ']' || this.at + 1 >= this.pattern.length) {
      set[low] = 1;
      return;
    }
    this.at++;
    const high = this.classByte();
    if (high < low) this.fail('a range whose ends are reversed');
    addRange(set, low, high);
  }

  private classByte(): number {
    const start = this.at;
    const code = this.sees('\\') ? this.parseEscapedCode() : this.pattern.codePointAt(this.at++)!;
    if (code < 0x80) return code;
    this.at = start;
    return this.fail('a class with a character outside of ASCII');
  }

  /** One character: its byte, or the bytes of its UTF-8 form. */
  private literal(code: number): Node {
    if (code < 0x80) return this.bytes(singleByte(code));
    if (code > 0x10ffff) this.fail('a character beyond Unicode');
    const bytes = Buffer.from(String.fromCodePoint(code));
    return {
      kind: 'concatenation',
      parts: [...bytes].map((byte) => ({ kind: 'bytes', set: singleByte(byte) })),
    };
  }

  private bytes(set: ByteSet): Node {
    return { kind: 'bytes', set: this.flags.ignoresCase ? withBothCases(set) : set };
  }

  private sees(character: string): boolean {
    return this.pattern[this.at] === character;
  }

  private take(character: string): boolean {
    if (!this.sees(character)) return false;
    this.at++;
    return true;
  }

  private fail(what: string): never {
    throw new PatternError(`${what} at character ${this.at + 1}`);
  }
}
