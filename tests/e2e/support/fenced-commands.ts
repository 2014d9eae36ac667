// Reads the commands that a document tells people to type. README.md's are run by tests/documentation/readme.test.ts, which says how they
// are marked.

/** What is to be done, in the order of the document. */
export type Step =
  /** A fence to be run to its end; its output must hold each of `prints`. */
  | {
      readonly type: 'run';
      readonly line: number;
      readonly script: string;
      readonly prints: readonly string[];
    }
  /** A fence that goes on running; it is up once a line of its output holds `until`. */
  | { readonly type: 'background'; readonly line: number; readonly script: string; readonly until: string }
  /** Ctrl-C for all that runs in the background. */
  | { readonly type: 'stop'; readonly line: number };

/** Languages of fences that look as if they were commands and would not be run. */
const misnamed = new Set(['bash', 'shell', 'console', 'zsh', 'shell-session', 'terminal']);

interface Mark {
  readonly line: number;
  readonly until: string | null;
  readonly prints: readonly string[];
}

function readMark(line: number, text: string): Mark {
  const background = /^background until "([^"]+)"$/.exec(text);
  if (background !== null) return { line, until: background[1]!, prints: [] };
  if (/^prints "[^"]+"(?: "[^"]+")*$/.test(text)) {
    const prints = [...text.matchAll(/"([^"]+)"/g)].map(([, quoted]) => quoted!);
    return { line, until: null, prints };
  }
  throw new Error(`line ${line}: '${text}' is none of: background until "…", prints "…" …, stop`);
}

/** Reads the steps; throws, with the line, at a mark or a fence that it can't make sense of. */
export function readSteps(markdown: string): Step[] {
  const steps: Step[] = [];
  const lines = markdown.split(/\r?\n/);
  let mark: Mark | null = null;
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    const text = lines[index]!;
    const comment = /^<!-- run: (.*) -->$/.exec(text)?.[1];
    const language = /^```(\S*)/.exec(text)?.[1];
    if (mark !== null && language !== 'sh') throw new Error(`line ${mark.line}: no \`\`\`sh fence follows`);
    if (comment === 'stop') steps.push({ type: 'stop', line });
    else if (comment !== undefined) mark = readMark(line, comment);
    else if (text.includes('<!-- run')) throw new Error(`line ${line}: a mark stands alone on its line`);
    if (language === undefined) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`line ${line}: the fence has no end`);
    if (misnamed.has(language)) throw new Error(`line ${line}: write \`\`\`sh, or it is not run`);
    if (language === 'sh') {
      const script = lines.slice(index + 1, end).join('\n');
      const until = mark?.until ?? null;
      if (until === null) steps.push({ type: 'run', line, script, prints: mark?.prints ?? [] });
      else steps.push({ type: 'background', line, script, until });
      mark = null;
    }
    index = end;
  }
  return steps;
}
