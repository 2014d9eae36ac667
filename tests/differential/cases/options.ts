import type { DifferentialCase } from '../support/case.ts';
import type { SetupName } from '../setups.ts';
import { answer, malformed, passed, refused, request } from '../support/expectations.ts';

function withMethod(name: string, method: string, counters: DifferentialCase['counters']): DifferentialCase {
  return {
    name,
    rule: 'allow_custom_methods',
    setup: 'custom-methods',
    client: request(`${method} /x`, 'Host: a\r\nContent-Length: 3\r\n', 'abc'),
    counters,
  };
}

function rewritten(name: string, path: string, fields: string): DifferentialCase {
  return {
    name,
    rule: 'host rewrite',
    setup: 'auto-host',
    client: request(`GET ${path}`, fields),
    counters: passed,
  };
}

const sentAway = {
  'http.in.downstream_rq_3xx': 1,
  'http.in.rq_total': 1,
  'http.in.rq_direct_response': 1,
  'cluster.be.upstream_rq_total': 0,
} as const;

function withTls(
  name: string,
  fields: string,
  counters: DifferentialCase['counters'],
  setup: 'tls-required' | 'tls-required-outside' = 'tls-required',
): DifferentialCase {
  return { name, rule: 'require_tls', setup, client: request('GET /x?y', fields), counters };
}

function ofListener(name: string, setup: SetupName, client: string, status: string): DifferentialCase {
  return {
    name: `${name} is counted for the listener`,
    rule: 'listener.<address>.http.<stat_prefix>',
    setup,
    client,
    counters: {
      'listener.in.http.in.downstream_rq_completed': 1,
      [`listener.in.http.in.downstream_rq_${status}`]: 1,
    },
  };
}

const kept = {
  'http.in.downstream_rq_total': 2,
  'http.in.downstream_rq_4xx': 1,
  'http.in.downstream_rq_2xx': 1,
  'http.in.downstream_cx_protocol_error': 0,
  'cluster.be.upstream_rq_total': 1,
} as const;
const twoLengths = 'Content-Length: 100\r\nTransfer-Encoding: chunked\r\n';

/** A bad request and a good one behind it. */
function afterError(
  name: string,
  bad: string,
  counters: DifferentialCase['counters'],
  setup: 'errors-end-streams' | 'errors-end-connections' = 'errors-end-streams',
): DifferentialCase {
  return {
    name: `behind ${name}`,
    rule: 'stream_error_on_invalid_http_message',
    setup,
    client: [{ send: bad }, { responses: 1 }, { send: request('GET /next') }, { responses: 2 }],
    counters,
  };
}

function formatted(
  name: string,
  path: string,
  fields = '',
  counters: DifferentialCase['counters'] = passed,
): DifferentialCase {
  return {
    name,
    rule: 'format operators',
    setup: 'formats',
    client: request(`GET ${path}`, `Host: a\r\n${fields}`),
    upstream: { text: answer('200 OK', 'content-length: 2\r\nx-secret: s\r\n', 'hi') },
    counters,
  };
}

function parameters(name: string, path: string, counters: DifferentialCase['counters']): DifferentialCase {
  return {
    name: `parameters behind ${name}`,
    rule: 'ignore_path_parameters_in_path_matching',
    setup: 'parameters',
    client: request(`GET ${path}`),
    counters,
  };
}

function pickedBy(value: string, counters: DifferentialCase['counters']): DifferentialCase {
  return {
    name: `a cluster by the number ${value}`,
    rule: 'weighted_clusters.header_name',
    setup: 'weighted-by-field',
    client: request('GET /', `Host: a\r\nX-Pick: ${value}\r\n`),
    counters,
  };
}

/** Options of the HTTP connection manager and of routes that most listeners leave alone. */
export const optionCases: readonly DifferentialCase[] = [
  withMethod('a method that nobody has defined', 'FOO', passed),
  withMethod('a method in small letters', 'get', passed),
  withMethod('a method of unusual characters', "A!#$%&'*+-.^_`|~", passed),
  withMethod('a method that is no token where every method is taken', 'F{O', malformed),
  rewritten('the Host is the endpoint’s name', '/', 'Host: a\r\n'),
  rewritten('the Host is the endpoint’s name already', '/', 'Host: real.example\r\n'),
  rewritten('X-Forwarded-Host ends with the host already', '/', 'Host: a\r\nX-Forwarded-Host: z,a\r\n'),
  rewritten('X-Forwarded-Host ends with another host', '/', 'Host: a\r\nX-Forwarded-Host: a,z\r\n'),
  rewritten('the Host is rewritten to what it is', '/plain', 'Host: same\r\n'),
  rewritten('the Host is that of a field', '/header', 'Host: a\r\nX-Host: b\r\n'),
  rewritten(
    'the Host is that of the first of two fields',
    '/header',
    'Host: a\r\nX-Host: b\r\nX-Host: c\r\n',
  ),
  rewritten('the field for the Host is missing', '/header', 'Host: a\r\n'),
  {
    name: 'an endpoint without a name leaves the Host',
    rule: 'host rewrite',
    setup: 'auto-host-unnamed',
    client: request('GET /'),
    counters: passed,
  },
  withTls('who came without TLS is sent away', 'Host: a\r\n', sentAway),
  withTls('who is sent away keeps the port', 'Host: a:80\r\n', sentAway),
  withTls('who came by TLS somewhere else is served', 'Host: a\r\nX-Forwarded-Proto: https\r\n', passed),
  withTls('a scheme in capitals is another scheme', 'Host: a\r\nX-Forwarded-Proto: HTTPS\r\n', sentAway),
  withTls('who comes from outside is sent away', 'Host: a\r\n', sentAway, 'tls-required-outside'),
  withTls(
    'who comes from inside is served',
    'Host: a\r\nX-Forwarded-For: 10.0.0.1\r\n',
    passed,
    'tls-required-outside',
  ),
  withTls(
    'nobody can say that he comes from inside',
    'Host: a\r\nX-Envoy-Internal: true\r\n',
    sentAway,
    'tls-required-outside',
  ),
  {
    name: 'a body is not waited for where its sender is sent away',
    rule: 'require_tls',
    setup: 'tls-required',
    client: request('POST /x', 'Host: a\r\nContent-Length: 3\r\n', 'abc'),
    counters: sentAway,
  },
  ofListener('a response', 'plain', request('GET /'), '2xx'),
  ofListener('a response of the proxy’s own', 'plain', request('GET /\u0001'), '4xx'),
  ofListener('a redirect', 'tls-required', request('GET /'), '3xx'),
  ofListener('a failure', 'down', request('GET /'), '5xx'),
  {
    name: 'a degraded endpoint serves where there is no other',
    rule: 'health_status',
    setup: 'degraded',
    client: request('GET /'),
    counters: { ...passed, 'cluster.be.lb_healthy_panic': 0 },
  },
  {
    name: 'a draining endpoint serves in panic',
    rule: 'health_status',
    setup: 'draining',
    client: request('GET /'),
    counters: { ...passed, 'cluster.be.lb_healthy_panic': 1 },
  },
  afterError('no Host', request('GET /', ''), kept),
  afterError('a path that is refused', request('GET /a%2fb'), kept),
  afterError('an underscore', request('GET /', 'Host: a\r\nx_y: z\r\n'), malformed),
  afterError('two lengths', request('POST /', `Host: a\r\n${twoLengths}`, '0\r\n\r\n'), malformed),
  afterError('a bad field name', request('GET /', 'Host: a\r\nx y: z\r\n'), malformed),
  afterError('an unknown method', request('FOO /'), malformed),
  afterError('no Host', request('GET /', ''), refused, 'errors-end-connections'),
  {
    name: 'of a length and chunks the chunks hold',
    rule: 'allow_chunked_length',
    setup: 'chunked-length',
    client: request('POST /', `Host: a\r\n${twoLengths}`, '3\r\nabc\r\n0\r\n\r\n'),
    counters: passed,
  },
  {
    name: 'two lengths and chunks are too many',
    rule: 'allow_chunked_length',
    setup: 'chunked-length',
    client: request('POST /', `Host: a\r\n${twoLengths}Content-Length: 3\r\n`, '3\r\nabc\r\n0\r\n\r\n'),
    counters: malformed,
  },
  {
    name: 'of a length and chunks of a response the chunks hold',
    rule: 'allow_chunked_length',
    setup: 'chunked-length',
    client: request('GET /'),
    upstream: { text: answer('200 OK', twoLengths, '3\r\nabc\r\n0\r\n\r\n') },
    counters: passed,
  },
  formatted('fields tell of the request', '/old', 'X-A: one\r\n'),
  formatted('fields tell of another field where one is missing', '/old', 'X-B: two\r\n'),
  formatted('fields are exchanged', '/', 'X-Left: l\r\nX-Right: r\r\n'),
  formatted('a field that is taken away is told of by nobody', '/', 'X-Gone: g\r\n'),
  formatted('quotes and high bytes go on as they came', '/', 'X-A: "\xe9\\"\r\n'),
  formatted('what overwrites leaves a field where there is nothing', '/', 'X-Id: 1\r\n'),
  formatted('a direct response tells of the request', '/direct?a', '', {
    'http.in.rq_direct_response': 1,
    'cluster.be.upstream_rq_total': 0,
  }),
  formatted('a reply of the proxy’s own tells why', '/nowhere', '', { 'http.in.no_cluster': 1 }),
  parameters('an exact path', '/exact;a=b?c', passed),
  parameters('a part of the path', '/part;a/b', passed),
  parameters('a pattern', '/re1;x', passed),
  parameters('no path that matches', '/exact/;a', { 'http.in.downstream_rq_4xx': 1 }),
  pickedBy('0', passed),
  pickedBy('6', passed),
  pickedBy('7', { 'http.in.no_cluster': 1 }),
  pickedBy('18446744073709551615', passed),
  formatted('of several fields the first is told', '/', 'X-A: one\r\nX-A: two\r\n'),
];
