import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '@heddle/base';
import { parseManifests } from '../manifest/parse-manifests.ts';

/** Problems of a DestinationRule with this spec, without file and line. */
function problemsOf(spec: object): string[] {
  const text = JSON.stringify({
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: 'a' },
    spec,
  });
  const { problems } = parseManifests([{ name: 'f', text }], { namespace: 'default' });
  return problems.map((problem) => formatProblem(problem).replace(/^f:\d+:\d+: /, ''));
}

const host = 'reviews';

const accepted: readonly [what: string, spec: object][] = [
  ['subsets', { host, subsets: [{ name: 'v1', labels: { version: 'v1' } }, { name: 'all' }] }],
  ['a wildcard host', { host: '*.example.org' }],
  [
    'what is the case anyway',
    { host, trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' }, loadBalancer: { simple: 'ROUND_ROBIN' } } },
  ],
  [
    'the same for a subset',
    { host, subsets: [{ name: 'v1', trafficPolicy: { loadBalancer: { simple: 'UNSPECIFIED' } } }] },
  ],
];

for (const [what, spec] of accepted) {
  test(`accepts ${what}`, () => assert.deepEqual(problemsOf(spec), []));
}

const complaints: readonly [what: string, spec: object, problem: string][] = [
  ['no host', {}, 'error HEDDLE_MISSING_FIELD: spec.host: host is required'],
  [
    'an empty host',
    { host: '' },
    "error HEDDLE_INVALID_VALUE: spec.host: '' is not a host: a DNS name, one with a leading '*.', or an IP address",
  ],
  [
    'a subset twice',
    { host, subsets: [{ name: 'v1' }, { name: 'v1' }] },
    "error HEDDLE_INVALID_VALUE: spec.subsets[1].name: the subset 'v1' stands twice",
  ],
  [
    'a subset with an impossible name',
    { host, subsets: [{ name: 'v1|x' }] },
    "error HEDDLE_INVALID_VALUE: spec.subsets[0].name: 'v1|x' is not a valid name of a subset (at most 63 lower-case letters, digits and -, a letter or digit at both ends)",
  ],
  [
    'a label that is no text',
    { host, subsets: [{ name: 'v1', labels: { version: 1 } }] },
    'error HEDDLE_WRONG_TYPE: spec.subsets[0].labels.version: version must be text, got the number 1',
  ],
  [
    'an impossible label',
    { host, subsets: [{ name: 'v1', labels: { version: 'a b' } }] },
    "error HEDDLE_INVALID_VALUE: spec.subsets[0].labels.version: 'a b' is not a valid label value (at most 63 letters, digits, -, _ and ., a letter or digit at both ends)",
  ],
  [
    'another algorithm',
    { host, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } },
    "warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.loadBalancer.simple: stored, but without effect: Heddle does not support the value 'RANDOM' yet (supported are UNSPECIFIED, ROUND_ROBIN)",
  ],
  [
    'an unknown algorithm',
    { host, trafficPolicy: { loadBalancer: { simple: 'RANDOMM' } } },
    'error HEDDLE_INVALID_VALUE: spec.trafficPolicy.loadBalancer.simple: simple must be one of UNSPECIFIED, LEAST_CONN, RANDOM, PASSTHROUGH, ROUND_ROBIN, LEAST_REQUEST, got the text "RANDOMM" (did you mean \'RANDOM\'?)',
  ],
  [
    'plain text',
    { host, trafficPolicy: { tls: { mode: 'DISABLE' } } },
    "warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.tls.mode: stored, but without effect: Heddle does not support the value 'DISABLE' yet (supported are ISTIO_MUTUAL)",
  ],
  [
    'plain text said by leaving the mode out',
    { host, trafficPolicy: { tls: {} } },
    "warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.tls: stored, but without effect: Heddle does not support tls without a mode, which means DISABLE in Istio, yet (write 'mode: ISTIO_MUTUAL' or leave tls out)",
  ],
  [
    'connection pools',
    { host, trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 } } } },
    'warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.connectionPool: stored, but without effect: Heddle does not support connection pool settings yet',
  ],
  [
    'a selector of clients',
    { host, workloadSelector: { matchLabels: { app: 'a' } } },
    'warning HEDDLE_NO_EFFECT_YET: spec.workloadSelector: stored, but without effect: Heddle does not support rules for certain client workloads yet',
  ],
];

for (const [what, spec, problem] of complaints) {
  test(`refuses ${what}`, () => assert.deepEqual(problemsOf(spec), [problem]));
}

test('checks what is not supported yet all the same', () => {
  assert.deepEqual(
    problemsOf({
      host,
      trafficPolicy: { loadBalancer: { warmup: { duration: '300s', minimumPercent: 150 } } },
    }),
    [
      'warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.loadBalancer.warmup: stored, but without effect: Heddle does not support slow start yet',
      'error HEDDLE_INVALID_VALUE: spec.trafficPolicy.loadBalancer.warmup.minimumPercent: minimumPercent must be at most 100, got the number 150',
    ],
  );
});
