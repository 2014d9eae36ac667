// Hot path.
// Fields that the proxy adds are kept as the text that is sent: lines of `name: value`, names in lower case, each ended by
// CRLF. Looking one up is rare (a route's header matcher, a log, a route's changes).

/** The values of the lines with this name, joined with `,`; null where there is none. */
export function lineValue(lines: string, lowerCaseName: string): string | null {
  let found: string | null = null;
  const start = `${lowerCaseName}: `;
  for (let at = nextLine(lines, start, 0); at >= 0; at = nextLine(lines, start, at + start.length)) {
    const value = lines.slice(at + start.length, lines.indexOf('\r\n', at));
    found = found === null ? value : `${found},${value}`;
  }
  return found;
}

/** The values of the fields of this name in a whole head, joined with `,`, however they write it; null for none. */
export function headFieldValue(head: string, lowerCaseName: string): string | null {
  let found: string | null = null;
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon !== lowerCaseName.length || line.slice(0, colon).toLowerCase() !== lowerCaseName) continue;
    const value = line.slice(colon + 1).trim();
    found = found === null ? value : `${found},${value}`;
  }
  return found;
}

/** `lines` without those of this name. */
export function withoutLine(lines: string, lowerCaseName: string): string {
  const start = `${lowerCaseName}: `;
  let left = lines;
  for (let at = nextLine(left, start, 0); at >= 0; at = nextLine(left, start, at)) {
    left = left.slice(0, at) + left.slice(left.indexOf('\r\n', at) + 2);
  }
  return left;
}

/** Where the next line that begins with `start` begins, at `from` or behind it; -1 where there is none. */
function nextLine(lines: string, start: string, from: number): number {
  for (let at = lines.indexOf(start, from); at >= 0; at = lines.indexOf(start, at + 1)) {
    if (at === 0 || lines.charCodeAt(at - 1) === 0x0a) return at;
  }
  return -1;
}
