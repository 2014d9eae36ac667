/**
 * What a terminal would obey or hide instead of showing: control characters (C0 but the tab, DEL, C1), those that turn
 * the direction of what follows, line separators and letters without width.
 */
const unseen = /[^\P{Cc}\t]|[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;
const named: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r` };

function escapeOf(character: string): string {
  const code = character.charCodeAt(0);
  return (
    named[character] ??
    (code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`)
  );
}

/** A text of others made safe to print: escapes such as `\x1b`, `\r` and `\u202e` stand for what is not seen. */
export function visible(text: string): string {
  return text.replaceAll(unseen, escapeOf);
}
