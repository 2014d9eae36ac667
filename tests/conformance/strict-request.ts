// What a backend would make of the bytes it gets, if it took RFC 9112 at its word and forgave nothing.

export interface StrictRequest {
  readonly method: string;
  readonly target: string;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// eslint-disable-next-line no-control-regex -- control characters are what is looked for.
const badValue = /[\0-\x08\x0A-\x1F\x7F]/;

/** The complete requests in `text`; `problem` says what a strict parser would stop at, empty where it would wait for more. */
export function readStrictly(text: string): { readonly requests: StrictRequest[]; readonly problem: string } {
  const requests: StrictRequest[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return { requests, problem: '' };
    const [line = '', ...fields] = text.slice(at, end).split('\r\n');
    const head = /^([^ ]+) ([^ ]+) HTTP\/1\.1$/.exec(line);
    if (head === null || !token.test(head[1]!)) return { requests, problem: `request line ${line}` };
    const lengths: string[] = [];
    const encodings: string[] = [];
    let hosts = 0;
    for (const field of fields) {
      const colon = field.indexOf(':');
      const name = field.slice(0, Math.max(colon, 0));
      const value = field.slice(colon + 1).trim();
      if (!token.test(name) || badValue.test(value)) return { requests, problem: `field ${field}` };
      const lower = name.toLowerCase();
      if (lower === 'content-length') lengths.push(value);
      if (lower === 'transfer-encoding') encodings.push(value);
      if (lower === 'host') hosts++;
    }
    if (hosts !== 1) return { requests, problem: `${hosts} Hosts` };
    if (lengths.length + encodings.length > 1) return { requests, problem: 'more than one length' };
    if (lengths.some((length) => !/^(?:0|[1-9][0-9]*)$/.test(length)))
      return { requests, problem: `length ${lengths[0]}` };
    if (encodings.some((encoding) => encoding !== 'chunked'))
      return { requests, problem: `encoding ${encodings[0]}` };
    const bodyEnd = encodings.length > 0 ? chunksEnd(text, end + 4) : end + 4 + Number(lengths[0] ?? 0);
    if (bodyEnd === 'bad') return { requests, problem: 'chunk framing' };
    if (bodyEnd === 'more' || bodyEnd > text.length) return { requests, problem: '' };
    requests.push({ method: head[1]!, target: head[2]! });
    at = bodyEnd;
  }
  return { requests, problem: '' };
}

/** Where a chunked body that begins at `start` ends. */
function chunksEnd(text: string, start: number): number | 'bad' | 'more' {
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return 'more';
    const size = /^([0-9a-fA-F]+)(?:;[^\r\n]*)?$/.exec(text.slice(at, lineEnd));
    if (size === null) return 'bad';
    at = lineEnd + 2;
    const length = Number.parseInt(size[1]!, 16);
    if (length === 0) {
      const trailersEnd = text.startsWith('\r\n', at) ? at + 2 : text.indexOf('\r\n\r\n', at) + 4;
      return trailersEnd <= 3 ? 'more' : trailersEnd;
    }
    if (text.length < at + length + 2) return 'more';
    if (text.slice(at + length, at + length + 2) !== '\r\n') return 'bad';
    at += length + 2;
  }
}
