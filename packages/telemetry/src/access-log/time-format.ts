// Hot path.
/** Renders a time given in milliseconds since 1970, in UTC. */
export type TimeFormatter = (timeMs: number) => string;

/** `2026-11-21T11:26:03.512Z`, with the part before the milliseconds kept for the requests of the same second. */
export function isoTimeFormatter(): TimeFormatter {
  let cachedSecond = -1;
  let prefix = '';
  return (timeMs) => {
    const second = Math.floor(timeMs / 1000);
    if (second !== cachedSecond) {
      cachedSecond = second;
      prefix = new Date(second * 1000).toISOString().slice(0, 20);
    }
    return `${prefix}${padded(Math.floor(timeMs - second * 1000), 3)}Z`;
  };
}

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The directives of `strftime` that are known, and Envoy's `f` with a number of digits before it. */
const directives: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  m: (date) => padded(date.getUTCMonth() + 1, 2),
  b: (date) => monthNames[date.getUTCMonth()]!,
  d: (date) => padded(date.getUTCDate(), 2),
  H: (date) => padded(date.getUTCHours(), 2),
  M: (date) => padded(date.getUTCMinutes(), 2),
  S: (date) => padded(date.getUTCSeconds(), 2),
  F: (date) => date.toISOString().slice(0, 10),
  T: (date) => date.toISOString().slice(11, 19),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  z: () => '+0000',
  Z: () => 'UTC',
  '%': () => '%',
};

/** Compiles a `strftime` pattern; the unknown directive as text where there is one. */
export function compileTimeFormat(pattern: string): TimeFormatter | { readonly unknown: string } {
  const parts: ((date: Date) => string)[] = [];
  let end = 0;
  for (const match of pattern.matchAll(/%([1-9]?)(f)|%(.?)/g)) {
    const literal = pattern.slice(end, match.index);
    end = match.index + match[0].length;
    parts.push(() => literal);
    const directive = match[2] === 'f' ? fraction(match[1] ?? '') : directives[match[3] ?? ''];
    if (directive === undefined) return { unknown: match[0] };
    parts.push(directive);
  }
  const tail = pattern.slice(end);
  return (timeMs) => {
    const date = new Date(timeMs);
    let text = '';
    for (const part of parts) text += part(date);
    return text + tail;
  };
}

/** Digits of the second's fraction: `%3f` milliseconds, `%f` (nine) nanoseconds; what we don't measure is 0. */
function fraction(digits: string): (date: Date) => string {
  const count = digits === '' ? 9 : Number(digits);
  return (date) => padded(date.getUTCMilliseconds(), 3).padEnd(count, '0').slice(0, count);
}
