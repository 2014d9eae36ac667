// Counters that most cases expect, by what becomes of the request.

/** One request that reached the upstream and came back with a 2xx. */
export const passed = {
  'http.in.downstream_rq_total': 1,
  'http.in.downstream_rq_completed': 1,
  'http.in.downstream_rq_2xx': 1,
  'cluster.be.upstream_rq_total': 1,
  'cluster.be.upstream_rq_2xx': 1,
} as const;

/** One request that the codec would not take: the upstream never heard of it. */
export const malformed = {
  'http.in.downstream_rq_4xx': 1,
  'http.in.downstream_cx_protocol_error': 1,
  'cluster.be.upstream_rq_total': 0,
} as const;

/** One request that was understood and refused. */
export const refused = {
  'http.in.downstream_rq_total': 1,
  'http.in.downstream_rq_4xx': 1,
  'cluster.be.upstream_rq_total': 0,
} as const;

/** A request line, fields and the empty line; `fields` are ended by CRLF each. */
export function request(line: string, fields = 'Host: a\r\n', body = ''): string {
  return `${line} HTTP/1.1\r\n${fields}\r\n${body}`;
}

/** A response of the upstream. */
export function answer(status: string, fields = '', body = ''): string {
  return `HTTP/1.1 ${status}\r\nx-upstream: yes\r\n${fields}\r\n${body}`;
}
