import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '@heddle/base';
import { parseManifests } from '../manifest/parse-manifests.ts';

/** Problems of a VirtualService with this spec, without file and line. */
function problemsOf(spec: object): string[] {
  const text = JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'a' },
    spec,
  });
  const { problems } = parseManifests([{ name: 'f', text }], { namespace: 'default' });
  return problems.map((problem) => formatProblem(problem).replace(/^f:\d+:\d+: /, ''));
}

const route = [{ destination: { host: 'reviews' } }];
const http = [{ route }];
const hosts = ['reviews'];

function match(block: object): object {
  return { hosts, http: [{ match: [block], route }] };
}

const accepted: readonly [what: string, spec: object][] = [
  [
    'hosts of all sorts',
    { hosts: ['reviews', 'reviews.shop.svc.cluster.local', '*.example.org', '10.0.0.1'], http },
  ],
  ['the gateway mesh', { hosts, gateways: ['mesh'], http }],
  ['exportTo', { hosts, http, exportTo: ['.', 'shop'] }],
  [
    'every supported condition',
    match({
      name: 'm',
      uri: { prefix: '/a' },
      ignoreUriCase: true,
      method: { exact: 'GET' },
      authority: { prefix: 'reviews' },
      headers: { 'end-user': { exact: 'jason' }, 'x-debug': {} },
      withoutHeaders: { 'x-old': {} },
      queryParams: { q: { exact: '1' }, r: {} },
      scheme: { exact: 'https' },
      port: 9080,
      sourceLabels: { app: 'web' },
      sourceNamespace: 'shop',
      gateways: ['mesh'],
    }),
  ],
  [
    'weights that do not add up to 100',
    {
      hosts,
      http: [
        {
          route: [
            { ...route[0], weight: 1 },
            { ...route[0], weight: 2 },
          ],
        },
      ],
    },
  ],
  [
    'a weight of 0 beside others',
    {
      hosts,
      http: [
        {
          route: [
            { ...route[0], weight: 0 },
            { ...route[0], weight: 2 },
          ],
        },
      ],
    },
  ],
  [
    'every action',
    {
      hosts,
      http: [
        { match: [{ uri: { regex: '/a+' } }], redirect: { uri: '/b', authority: 'b:80', scheme: 'https' } },
        { match: [{ uri: { prefix: '/c' } }], directResponse: { status: 503, body: { string: 'closed' } } },
        { match: [{ uri: { prefix: '/d' } }], delegate: { name: 'other' } },
        {
          route: [{ ...route[0], headers: { request: { set: { host: 'x', a: '%REQ(b)%' } } } }],
          rewrite: { uriRegexRewrite: { match: '/(.*)', rewrite: '/x/\\1' }, authority: 'c' },
          retries: { attempts: 3, retryOn: '5xx,404', perTryTimeout: '2s', backoff: '5ms' },
          mirrors: [{ destination: { host: 'b' }, percentage: { value: 0.5 } }],
          headers: { response: { add: { 'x-share': '50%%' }, remove: ['server'] } },
        },
      ],
    },
  ],
  ['an object without hosts, which others delegate to', { http }],
  ['timeouts', { hosts, http: [{ route, timeout: '1m0.5s' }] }],
];

for (const [what, spec] of accepted) {
  test(`accepts ${what}`, () => assert.deepEqual(problemsOf(spec), []));
}

const complaints: readonly [what: string, spec: object, problem: string][] = [
  [
    'the host *',
    { hosts: ['*'], http },
    "error HEDDLE_INVALID_VALUE: spec.hosts[0]: the host '*' is only allowed at a gateway, not for traffic between services",
  ],
  [
    'a host twice',
    { hosts: ['a', 'A'], http },
    "error HEDDLE_INVALID_VALUE: spec.hosts[1]: the host 'A' stands twice",
  ],
  [
    'an IPv6 address as a host',
    { hosts: ['fd00::1'], http },
    "error HEDDLE_UNSUPPORTED_FIELD: spec.hosts[0]: the IPv6 address 'fd00::1' as a host is not supported by Heddle yet",
  ],
  [
    'a host with a port',
    { hosts: ['a:80'], http },
    "error HEDDLE_INVALID_VALUE: spec.hosts[0]: 'a:80' is not a host: a DNS name, one with a leading '*.', or an IP address",
  ],
  [
    'a wildcard in the middle',
    { hosts: ['a.*.b'], http },
    "error HEDDLE_INVALID_VALUE: spec.hosts[0]: 'a.*.b' is not a host: a DNS name, one with a leading '*.', or an IP address",
  ],
  [
    'no rules',
    { hosts },
    'error HEDDLE_MISSING_FIELD: spec.http: a VirtualService needs at least one rule under http, tls or tcp',
  ],
  [
    'a gateway',
    { hosts, gateways: ['shop/edge', 'mesh'], http },
    "warning HEDDLE_NO_EFFECT_YET: spec.gateways[0]: stored, but without effect: Heddle does not support gateways such as 'shop/edge' yet ('mesh', the sidecars, is what an absent 'gateways' means)",
  ],
  [
    'a rule without action',
    { hosts, http: [{ name: 'x' }] },
    'error HEDDLE_MISSING_FIELD: spec.http[0].route: the rule says nothing about where requests go (give it a route)',
  ],
  [
    'an empty route',
    { hosts, http: [{ route: [] }] },
    'error HEDDLE_MISSING_FIELD: spec.http[0].route: the rule says nothing about where requests go (give it a route)',
  ],
  [
    'a destination without host',
    { hosts, http: [{ route: [{ destination: {} }] }] },
    'error HEDDLE_MISSING_FIELD: spec.http[0].route[0].destination.host: host is required',
  ],
  [
    'a destination with a wildcard',
    { hosts, http: [{ route: [{ destination: { host: '*.a' } }] }] },
    "error HEDDLE_UNSUPPORTED_FIELD: spec.http[0].route[0].destination.host: a destination with a wildcard ('*.a') is not supported by Heddle yet",
  ],
  [
    'a port out of range',
    { hosts, http: [{ route: [{ destination: { host: 'a', port: { number: 65536 } } }] }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].route[0].destination.port.number: number must be at most 65535, got the number 65536',
  ],
  [
    'weights that add up to 0',
    { hosts, http: [{ route: [...route, ...route] }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].route: the weights of the destinations add up to 0, so no request could be sent (give each a weight)',
  ],
  [
    'a negative weight',
    { hosts, http: [{ route: [{ ...route[0], weight: -1 }] }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].route[0].weight: weight must be at least 0, got the number -1',
  ],
  [
    'a weight as text',
    { hosts, http: [{ route: [{ ...route[0], weight: '80' }] }] },
    'error HEDDLE_WRONG_TYPE: spec.http[0].route[0].weight: weight must be a whole number, got the text "80"',
  ],
  [
    'half a weight',
    { hosts, http: [{ route: [{ ...route[0], weight: 0.5 }] }] },
    'error HEDDLE_WRONG_TYPE: spec.http[0].route[0].weight: weight must be a whole number, got the number 0.5',
  ],
  [
    'a list where a mapping belongs',
    { hosts, http: [{ route: [[]] }] },
    'error HEDDLE_WRONG_TYPE: spec.http[0].route[0]: each of route must be a mapping, got an empty list',
  ],
  [
    'a field without value',
    match({ headers: { a: null } }),
    'error HEDDLE_WRONG_TYPE: spec.http[0].match[0].headers.a: a has no value (give it one or remove the field)',
  ],
  [
    'two kinds of a text match',
    match({ uri: { exact: '/a', prefix: '/' } }),
    'error HEDDLE_INVALID_VALUE: spec.http[0].match[0].uri.prefix: prefix stands beside exact, but only one of exact, prefix, regex may be set',
  ],
  [
    'no kind of a text match',
    match({ method: {} }),
    'error HEDDLE_MISSING_FIELD: spec.http[0].match[0].method: method needs one of exact, prefix and regex',
  ],
  [
    'an empty path',
    match({ uri: { prefix: '' } }),
    'error HEDDLE_INVALID_VALUE: spec.http[0].match[0].uri: uri is compared with an empty text (leave the field out to match everything)',
  ],
  [
    'an empty header value',
    match({ headers: { a: { exact: '' } } }),
    "error HEDDLE_INVALID_VALUE: spec.http[0].match[0].headers.a: 'a' is compared with an empty text (write 'a: {}' to ask that it is present)",
  ],
  [
    'a regular expression that is none',
    match({ uri: { regex: '/a(' } }),
    "error HEDDLE_INVALID_VALUE: spec.http[0].match[0].uri.regex: '/a(' is no regular expression of RE2: a missing ) at character 4",
  ],
  [
    'an upper-case header name',
    match({ headers: { 'End-User': {} } }),
    "error HEDDLE_INVALID_VALUE: spec.http[0].match[0].headers.End-User: 'End-User' is not a header name: a header name is written in lower-case letters, digits, - and _ (write 'end-user')",
  ],
  [
    'a header that Istio ignores',
    match({ headers: { method: { exact: 'GET' } } }),
    "error HEDDLE_INVALID_VALUE: spec.http[0].match[0].headers.method: 'method' among headers would be ignored (use the field 'method' of the match itself)",
  ],
  [
    'token claims',
    match({ headers: { '@request.auth.claims.sub': {} } }),
    'warning HEDDLE_NO_EFFECT_YET: spec.http[0].match[0].headers["@request.auth.claims.sub"]: stored, but without effect: Heddle does not support matching by the claims of a token yet',
  ],
  [
    'a timeout that is none',
    { hosts, http: [{ route, timeout: '5' }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].timeout: timeout must be a duration of at least 1ms, such as 5s, 100ms or 1m30s, got the text "5"',
  ],
  [
    'a timeout of nothing',
    { hosts, http: [{ route, timeout: '0s' }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].timeout: timeout must be a duration of at least 1ms, such as 5s, 100ms or 1m30s, got the text "0s"',
  ],
  [
    'retries on what nobody knows',
    { hosts, http: [{ route, retries: { attempts: 3, retryOn: '5xx, sometimes,503' } }] },
    "error HEDDLE_INVALID_VALUE: spec.http[0].retries.retryOn: 'sometimes' is no condition of Envoy's, and no status code",
  ],
  [
    'retries without a number',
    { hosts, http: [{ route, retries: { retryOn: '5xx' } }] },
    'warning HEDDLE_DOUBTFUL_VALUE: spec.http[0].retries: nothing is tried again: attempts is 0 (set attempts)',
  ],
  [
    'a redirect with a status of another kind',
    { hosts, http: [{ redirect: { uri: '/b', redirectCode: 304 } }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].redirect.redirectCode: 304 is none of 301, 302, 303, 307 and 308',
  ],
  [
    'a redirect to nowhere else',
    { hosts, http: [{ redirect: {} }] },
    'error HEDDLE_MISSING_FIELD: spec.http[0].redirect: the redirect changes nothing (give it a uri, authority, scheme or port)',
  ],
  [
    'a redirect to a host that is none',
    { hosts, http: [{ redirect: { authority: 'a b' } }] },
    "error HEDDLE_INVALID_VALUE: spec.http[0].redirect.authority: 'a b' is no host, with or without port",
  ],
  [
    'an answer with the status of none',
    { hosts, http: [{ directResponse: { status: 100 } }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].directResponse.status: 100 is not within 200 to 599',
  ],
  [
    'a rewrite to a group that is not there',
    { hosts, http: [{ route, rewrite: { uriRegexRewrite: { match: '/a', rewrite: '/\\1' } } }] },
    'error HEDDLE_INVALID_VALUE: spec.http[0].rewrite.uriRegexRewrite.rewrite: the pattern has no group 1',
  ],
  [
    'a rewrite with a line break',
    { hosts, http: [{ route, rewrite: { uri: '/a\n' } }] },
    "error HEDDLE_INVALID_VALUE: spec.http[0].rewrite.uri: '/a\n' holds characters that no path may hold",
  ],
  [
    'changes of what frames a message',
    { hosts, http: [{ route, headers: { response: { remove: ['Content-Length'] } } }] },
    'warning HEDDLE_NO_EFFECT_YET: spec.http[0].headers.response.remove[0]: stored, but without effect: Heddle does not support changes of the header Content-Length by routes yet',
  ],
  [
    'a value with half an operator',
    { hosts, http: [{ route, headers: { request: { set: { a: '100%' } } } }] },
    "error HEDDLE_INVALID_VALUE: spec.http[0].headers.request.set.a: '100%' holds a % that begins no format operator (write %% for a percent sign)",
  ],
  [
    'an abort with a status that is none',
    { hosts, http: [{ route, fault: { abort: { grpcStatus: 'BROKEN', percentage: { value: 1 } } } }] },
    "error HEDDLE_INVALID_VALUE: spec.http[0].fault.abort.grpcStatus: 'BROKEN' is no status of gRPC",
  ],
  [
    'mirrors of two kinds',
    { hosts, http: [{ route, mirror: { host: 'a' }, mirrors: [{ destination: { host: 'b' } }] }] },
    "error HEDDLE_INVALID_VALUE: spec.http[0].mirrors: a rule can't have both mirror and mirrors",
  ],
  [
    'a delegate without name',
    { hosts, http: [{ delegate: {} }] },
    'error HEDDLE_MISSING_FIELD: spec.http[0].delegate.name: delegate needs the name of a VirtualService',
  ],
  [
    'TCP routes',
    { hosts, tcp: [{ route }] },
    'warning HEDDLE_NO_EFFECT_YET: spec.tcp: stored, but without effect: Heddle does not support TCP routes yet',
  ],
  [
    'exportTo nobody',
    { hosts, http, exportTo: ['~'] },
    "error HEDDLE_INVALID_VALUE: spec.exportTo[0]: '~' (nobody) is not allowed here (write '.' to keep it in its own namespace)",
  ],
  [
    'exportTo everybody and others',
    { hosts, http, exportTo: ['*', '.'] },
    "error HEDDLE_INVALID_VALUE: spec.exportTo[0]: '*' (everybody) stands beside other entries (leave the others out)",
  ],
  [
    'a mistyped field',
    { hosts, http: [{ rout: [], route }] },
    "error HEDDLE_UNKNOWN_FIELD: spec.http[0].rout: unknown field 'rout' (did you mean 'route'?)",
  ],
];

for (const [what, spec, problem] of complaints) {
  test(`refuses ${what}`, () => assert.deepEqual(problemsOf(spec), [problem]));
}

test('refuses a rule with two actions, naming both', () => {
  assert.deepEqual(problemsOf({ hosts, http: [{ route, redirect: { uri: '/a' } }] }), [
    "error HEDDLE_INVALID_VALUE: spec.http[0].redirect: a rule can't have both route and redirect",
  ]);
});

test('warns of a path that no request has', () => {
  assert.deepEqual(problemsOf(match({ uri: { prefix: 'api' } })), [
    "warning HEDDLE_DOUBTFUL_VALUE: spec.http[0].match[0].uri.prefix: 'api' matches no request: paths start with '/'",
  ]);
});
