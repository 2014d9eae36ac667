import { type Result, err } from '../result.ts';
import { FullMatcher } from './full-matcher.ts';
import { parseRegex } from './parse-regex.ts';
import { type Program, compileProgram } from './program.ts';
import { type Match, Searcher } from './searcher.ts';

/**
 * A regular expression with RE2's syntax and meaning, matched in time linear in the text (decision 0010). Texts are bytes,
 * one latin1 character each, as heads hold them; what is not ASCII in a pattern stands for its UTF-8 bytes.
 */
export class Regex {
  readonly pattern: string;
  readonly captures: number;
  private readonly program: Program;
  private readonly matcher: FullMatcher;
  private searcher: Searcher | null = null;

  private constructor(pattern: string, program: Program) {
    this.pattern = pattern;
    this.program = program;
    this.captures = program.captures;
    this.matcher = new FullMatcher(program);
  }

  /** The pattern compiled; the error says in a few words what is wrong with it. */
  static compile(pattern: string): Result<Regex, string> {
    const parsed = parseRegex(pattern);
    if (!parsed.ok) return err(parsed.error);
    const program = compileProgram(parsed.value.root, parsed.value.captures);
    return program.ok ? { ok: true, value: new Regex(pattern, program.value) } : program;
  }

  /** Configurations that hold patterns are compared as JSON. */
  toJSON(): string {
    return this.pattern;
  }

  /** Whether the pattern matches the whole text. */
  matches(text: string): boolean {
    return this.matcher.matches(text);
  }

  /** Replaces all matches that don't overlap, as RE2's `GlobalReplace` does. */
  replaceAll(text: string, substitution: Substitution): string {
    this.searcher ??= new Searcher(this.program);
    let out = '';
    let at = 0;
    let lastEnd = -1;
    while (at <= text.length) {
      const match = this.searcher.find(text, at);
      if (match === null) break;
      const start = match[0]!;
      const end = match[1]!;
      out += text.slice(at, start);
      at = start;
      if (start === end && start === lastEnd) {
        // Nothing right behind the last match is no match of its own.
        out += text.slice(at, at + 1);
        at++;
        continue;
      }
      out += substitution.expand(text, match);
      at = end;
      lastEnd = end;
    }
    return out + text.slice(at);
  }
}

/** What stands in place of a match: text, and groups as `\0` to `\9`. */
export class Substitution {
  private readonly parts: readonly (string | number)[];

  private constructor(parts: readonly (string | number)[]) {
    this.parts = parts;
  }

  /** The error says what is wrong with `text` for a pattern with so many groups. */
  static compile(text: string, captures: number): Result<Substitution, string> {
    const parts: (string | number)[] = [];
    for (const [piece] of text.matchAll(/\\[\s\S]?|[^\\]+/g)) {
      if (!piece.startsWith('\\')) parts.push(latin1Of(piece));
      else if (piece === '\\\\') parts.push('\\');
      else if (!/^\\\d$/.test(piece)) return err(`"${piece}" is neither a group nor \\\\`);
      else if (Number(piece[1]) > captures) return err(`the pattern has no group ${piece[1]}`);
      else parts.push(Number(piece[1]));
    }
    return { ok: true, value: new Substitution(parts) };
  }

  expand(text: string, match: Match): string {
    let out = '';
    for (const part of this.parts) {
      if (typeof part === 'string') out += part;
      else if (match[part * 2]! >= 0) out += text.slice(match[part * 2], match[part * 2 + 1]);
    }
    return out;
  }
}

/** The UTF-8 bytes of `text`, one character each. */
function latin1Of(text: string): string {
  return Buffer.from(text).toString('latin1');
}
