import { err, ok, type Result } from '@heddle/base';
import { Regex } from '@heddle/base/regex/regex.ts';

/** A regular expression that is looked for anywhere in a name. */
export interface NamePattern {
  test(name: string): boolean;
}

const everything: NamePattern = { test: () => true };

/**
 * Compiles a regular expression of RE2's syntax, which takes time linear to the text: the thread that would wait for a
 * backtracking one is the thread that serves traffic. An empty one is found everywhere.
 */
export function safePattern(source: string): Result<NamePattern, string> {
  if (source === '') return ok(everything);
  // Alone first: put into the other, a lone bracket would have a partner.
  const alone = Regex.compile(source);
  if (!alone.ok) return alone;
  const anywhere = Regex.compile(`(?s:.*)(?:${source})(?s:.*)`);
  if (!anywhere.ok) return err(anywhere.error);
  const regex = anywhere.value;
  // Patterns are matched with bytes.
  return ok({ test: (name) => regex.matches(Buffer.from(name).toString('latin1')) });
}
