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
    { host, trafficPolicy: { loadBalancer: { simple: 'PASSTHROUGH' } } },
    "warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.loadBalancer.simple: stored, but without effect: Heddle does not support the value 'PASSTHROUGH' yet (supported are UNSPECIFIED, ROUND_ROBIN, LEAST_REQUEST, LEAST_CONN, RANDOM)",
  ],
  [
    'an unknown algorithm',
    { host, trafficPolicy: { loadBalancer: { simple: 'RANDOMM' } } },
    'error HEDDLE_INVALID_VALUE: spec.trafficPolicy.loadBalancer.simple: simple must be one of UNSPECIFIED, LEAST_CONN, RANDOM, PASSTHROUGH, ROUND_ROBIN, LEAST_REQUEST, got the text "RANDOMM" (did you mean \'RANDOM\'?)',
  ],
  [
    'TLS to others without verification',
    { host, trafficPolicy: { tls: { mode: 'SIMPLE', insecureSkipVerify: true } } },
    'warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.tls.insecureSkipVerify: stored, but without effect: Heddle does not support connections without verification yet',
  ],
  [
    'a name of no workload for those of the mesh',
    { host, trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL', subjectAltNames: ['a.example'] } } },
    "error HEDDLE_INVALID_VALUE: spec.trafficPolicy.tls.subjectAltNames[0]: 'a.example' is no SPIFFE id, which certificates of the mesh have (write 'spiffe://' and the workload's id)",
  ],
  [
    'a server name that is none',
    { host, trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL', sni: 'a b' } } },
    "error HEDDLE_INVALID_VALUE: spec.trafficPolicy.tls.sni: 'a b' is not a host name",
  ],
  [
    'plain text said by leaving the mode out',
    { host, trafficPolicy: { tls: {} } },
    "warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.tls: stored, but without effect: Heddle does not support tls without a mode, which means DISABLE in Istio, yet (write 'mode: ISTIO_MUTUAL' or leave tls out)",
  ],
  [
    'a choice of protocol',
    { host, trafficPolicy: { connectionPool: { http: { h2UpgradePolicy: 'UPGRADE' } } } },
    'warning HEDDLE_NO_EFFECT_YET: spec.trafficPolicy.connectionPool.http.h2UpgradePolicy: stored, but without effect: Heddle does not support a choice of protocol for links that negotiate theirs yet',
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
