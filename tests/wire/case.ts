/** What a client sends, or an upstream answers, and what must become of it. */
export interface WireCase {
  /** Number of the rule in the engine's list of checks, or `class N` for an attack class. */
  readonly rule: string;
  readonly name: string;
  /** Bytes of the client, one per character; a plain GET where the case is about the response. */
  readonly request?: string;
  /** Bytes of the upstream. */
  readonly response?: string;
  /** The upstream closes behind its response. */
  readonly upstreamCloses?: boolean;
  /** The status with which the proxy refuses; the connection on which the bytes came closes, nothing behind them is read. */
  readonly refusedWith?: number;
  /** Targets of the requests that reach the upstream complete; none by default where it is refused, `/` otherwise. */
  readonly targets?: readonly string[];
  /** Texts in what the upstream got (or, for a response, the client). */
  readonly passesOn?: readonly string[];
  /** Texts that must not be in it, whatever their case. */
  readonly keepsBack?: readonly string[];
  /** The upstream's connection must not be used again. */
  readonly dropsUpstream?: boolean;
}

/** A request with a Host. */
export function get(line: string, fields = '', body = ''): string {
  return `${line} HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
}

/** A POST with these framing fields. */
export function post(fields: string, body: string): string {
  return get('POST /', fields, body);
}

/** A request whose body is chunked. */
export function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}
