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
      port: 9080,
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
  ['timeouts', { hosts, http: [{ route, timeout: '1m0.5s' }] }],
];

for (const [what, spec] of accepted) {
  test(`accepts ${what}`, () => assert.deepEqual(problemsOf(spec), []));
}

const complaints: readonly [what: string, spec: object, problem: string][] = [
  [
    'no hosts',
    { http },
    'warning HEDDLE_NO_EFFECT_YET: spec.hosts: stored, but without effect: Heddle does not support delegation, which rules without hosts are for, yet',
  ],
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
    'error HEDDLE_MISSING_FIELD: spec.http[0].match[0].method: method needs one of exact and prefix',
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
    'regular expressions',
    match({ uri: { regex: '/a.*' } }),
    'warning HEDDLE_NO_EFFECT_YET: spec.http[0].match[0].uri.regex: stored, but without effect: Heddle does not support matching by regular expression yet',
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
    'labels of clients',
    match({ sourceLabels: { app: 'a' } }),
    'warning HEDDLE_NO_EFFECT_YET: spec.http[0].match[0].sourceLabels: stored, but without effect: Heddle does not support rules for clients with certain labels yet',
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
    'retries',
    { hosts, http: [{ route, retries: { attempts: 3 } }] },
    'warning HEDDLE_NO_EFFECT_YET: spec.http[0].retries: stored, but without effect: Heddle does not support retries yet',
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
    'warning HEDDLE_NO_EFFECT_YET: spec.http[0].redirect: stored, but without effect: Heddle does not support redirects yet',
    "error HEDDLE_INVALID_VALUE: spec.http[0].redirect: a rule can't have both route and redirect",
  ]);
});

test('warns of a path that no request has', () => {
  assert.deepEqual(problemsOf(match({ uri: { prefix: 'api' } })), [
    "warning HEDDLE_DOUBTFUL_VALUE: spec.http[0].match[0].uri.prefix: 'api' matches no request: paths start with '/'",
  ]);
});
