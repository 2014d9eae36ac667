// Reads HTTP/1.1 messages as a strict recipient would, for what a client or an upstream of the comparison was sent.
import type { IncomingHttpHeaders } from 'node:http2';
import type { SeenMessage } from './case.ts';

/** A message and where the next one begins; null while it is not complete. */
export interface ReadMessage {
  readonly message: SeenMessage;
  readonly end: number;
}

/** What tells a message's framing apart. */
export interface ReadOptions {
  readonly isResponse: boolean;
  /** The response answers HEAD, or opens a tunnel. */
  readonly hasNoBody: boolean;
  /** The peer has closed: a body without a length ends here. */
  readonly isClosed: boolean;
}

/** Fields whose values change from run to run, or that each proxy writes in its own name. */
const volatile: ReadonlyMap<string, string | null> = new Map([
  ['date', null],
  ['x-request-id', '<id>'],
  ['x-envoy-upstream-service-time', '<ms>'],
]);

/** What is left of the usual 15 s: less of them when a request is tried again, unless that took less than a millisecond. */
const timeoutName = 'x-envoy-expected-rq-timeout-ms';

function normalise(line: string): string | null {
  const colon = line.indexOf(':', 1);
  const name = line.slice(0, colon).toLowerCase();
  const value = line.slice(colon + 1).trim();
  const replacement =
    name === timeoutName && /^1(?:4\d{3}|5000)$/.test(value) ? '<rest>' : volatile.get(name);
  if (replacement === null) return null;
  return `${name}: ${replacement ?? value}`;
}

/** Fields as they are compared. */
export function seenFields(lines: readonly string[]): string[] {
  return lines
    .map(normalise)
    .filter((line) => line !== null)
    .toSorted();
}

/** Fields as lines, one for each value. */
export function linesOf(fields: IncomingHttpHeaders): string[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [String(value)]).map((one) => `${name}: ${one}`),
  );
}

/** Where the head that begins at `start` ends, or -1. */
export function headEnd(text: string, start: number): number {
  const end = text.indexOf('\r\n\r\n', start);
  return end < 0 ? -1 : end + 4;
}

/** The message that begins at `start`, where it is complete. Throws where the framing can't be understood. */
export function readMessage(text: string, start: number, options: ReadOptions): ReadMessage | null {
  const bodyStart = headEnd(text, start);
  if (bodyStart < 0) return null;
  const [line = '', ...lines] = text.slice(start, bodyStart - 4).split('\r\n');
  const value = (name: string): string | undefined =>
    lines
      .find((field) => field.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const done = (
    framing: SeenMessage['framing'],
    body: string,
    end: number,
    trailers: string[] = [],
  ): ReadMessage => ({
    message: { line, fields: seenFields(lines), framing, body, trailers: seenFields(trailers) },
    end,
  });
  const status = options.isResponse ? Number(line.split(' ')[1]) : 0;
  const isBodyless = options.hasNoBody || status === 204 || status === 304 || (status >= 100 && status < 200);
  if (isBodyless) return done('none', '', bodyStart);
  if (value('transfer-encoding')?.toLowerCase() === 'chunked') {
    const chunked = readChunks(text, bodyStart);
    return chunked === null ? null : done('chunked', chunked.body, chunked.end, chunked.trailers);
  }
  const length = value('content-length');
  if (length !== undefined) {
    const end = bodyStart + Number(length);
    return text.length < end ? null : done('length', text.slice(bodyStart, end), end);
  }
  if (!options.isResponse) return done('none', '', bodyStart);
  return options.isClosed ? done('close', text.slice(bodyStart), text.length) : null;
}

function readChunks(
  text: string,
  start: number,
): { readonly body: string; readonly end: number; readonly trailers: string[] } | null {
  let body = '';
  let at = start;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const digits = /^[0-9a-fA-F]+/.exec(text.slice(at, lineEnd))?.[0];
    if (digits === undefined) throw new Error(`no chunk size in ${JSON.stringify(text.slice(at, at + 20))}`);
    const size = Number.parseInt(digits, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const trailers: string[] = [];
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const line = text.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { body, end: at, trailers };
    trailers.push(line);
  }
}
