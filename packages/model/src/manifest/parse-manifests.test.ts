import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '@heddle/base';
import type { MeshObject } from './object.ts';
import { parseKeys, parseManifests } from './parse-manifests.ts';
import { toManifest } from './to-manifest.ts';

function parse(text: string): { objects: unknown[]; problems: string[] } {
  const { objects, problems } = parseManifests([{ name: 'f.yaml', text }], { namespace: 'default' });
  return { objects: objects.map(({ object }) => object), problems: problems.map(formatProblem) };
}

const reviews = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews, subset: v1}
      weight: 80
    - destination: {host: reviews, subset: v2}
      weight: 20
`;

test('reads an object, with the default namespace', () => {
  const { objects, problems } = parse(reviews);
  assert.deepEqual(problems, []);
  assert.deepEqual(objects, [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'reviews', namespace: 'default' },
      spec: {
        hosts: ['reviews'],
        http: [
          {
            route: [
              { destination: { host: 'reviews', subset: 'v1' }, weight: 80 },
              { destination: { host: 'reviews', subset: 'v2' }, weight: 20 },
            ],
          },
        ],
      },
    },
  ]);
});

test('gives every served version the storage version, so that the same object stays the same', () => {
  const versions = ['v1', 'v1beta1', 'v1alpha3'];
  const objects = versions.map(
    (version) => parse(reviews.replace('istio.io/v1', `istio.io/${version}`)).objects[0],
  );
  assert.deepEqual(objects[1], objects[0]);
  assert.deepEqual(objects[2], objects[0]);
});

test('freezes what it has read', () => {
  const { objects } = parseManifests([{ name: 'f', text: reviews }], { namespace: 'default' });
  const { object } = objects[0]!;
  assert.throws(() => {
    (object.spec as { hosts: string[] }).hosts.push('ratings');
  }, TypeError);
});

test('drops what only a server writes, and the status', () => {
  const { objects, problems } = parse(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
  namespace: shop
  uid: 9f1e
  resourceVersion: "12"
  generation: 3
  creationTimestamp: null
  managedFields: [{manager: kubectl}]
  labels:
  annotations:
    team: books
    kubectl.kubernetes.io/last-applied-configuration: "{}"
spec:
  host: reviews
status:
  observedGeneration: 3
`);
  assert.deepEqual(problems, []);
  assert.deepEqual(objects, [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'reviews', namespace: 'shop', annotations: { team: 'books' } },
      spec: { host: 'reviews' },
    },
  ]);
});

test('flattens lists, and places problems within their items', () => {
  const { objects, problems } = parse(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        {
          apiVersion: 'networking.istio.io/v1',
          kind: 'DestinationRule',
          metadata: { name: 'a' },
          spec: { host: 'a' },
        },
        {
          apiVersion: 'networking.istio.io/v1',
          kind: 'DestinationRule',
          metadata: { name: 'b' },
          spec: { hosts: 'b' },
        },
      ],
    }),
  );
  assert.equal(objects.length, 1);
  assert.deepEqual(problems, [
    'f.yaml:1:240: error HEDDLE_MISSING_FIELD: spec.host: host is required',
    "f.yaml:1:248: error HEDDLE_UNKNOWN_FIELD: spec.hosts: unknown field 'hosts' (did you mean 'host'?)",
  ]);
});

test('refuses one object written twice and names both places, across files too', () => {
  const { objects, problems } = parseManifests(
    [
      { name: 'a.yaml', text: reviews },
      {
        name: 'b.yaml',
        text: `---\n${reviews.replace('name: reviews', 'name: reviews\n  namespace: default')}`,
      },
    ],
    { namespace: 'default' },
  );
  assert.equal(objects.length, 2);
  assert.deepEqual(problems.map(formatProblem), [
    'b.yaml:5:9: error HEDDLE_DUPLICATE_OBJECT: metadata.name: VirtualService/default/reviews stands twice: ' +
      'also in a.yaml, line 4 (which of the two is meant cannot be told; remove one)',
  ]);
});

test('takes objects of one name in different namespaces', () => {
  const other = reviews.replace('name: reviews', 'name: reviews\n  namespace: shop');
  assert.deepEqual(parse(`${reviews}---\n${other}`).problems, []);
});

test('collects the problems of all documents in the order of the file', () => {
  const { objects, problems } = parse(`kind: VirtualServise
apiVersion: networking.istio.io/v1
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: Reviews}
spec: {hosts: [a], host: 'a b'}
extra: 1
---
- a
`);
  assert.deepEqual(objects, []);
  assert.deepEqual(problems, [
    "f.yaml:1:7: error HEDDLE_UNKNOWN_KIND: kind: unknown kind 'VirtualServise' in the group 'networking.istio.io' (did you mean 'VirtualService'?)",
    "f.yaml:6:18: error HEDDLE_INVALID_VALUE: metadata.name: 'Reviews' is not a valid name (lower-case letters, digits, - and ., a letter or digit at both ends)",
    "f.yaml:7:8: error HEDDLE_UNKNOWN_FIELD: spec.hosts: unknown field 'hosts' (did you mean 'host'?)",
    "f.yaml:8:1: error HEDDLE_UNKNOWN_FIELD: extra: unknown field 'extra' (known here: apiVersion, kind, metadata, spec, status)",
    'f.yaml:10:1: error HEDDLE_NOT_AN_OBJECT: an object is a mapping, got a list',
  ]);
});

test('gives out no object whose name alone is wrong', () => {
  const { objects, problems } = parse(reviews.replace('name: reviews', 'name: Reviews'));
  assert.deepEqual(objects, []);
  assert.equal(problems.length, 1);
});

test('tells problems of the spec although the metadata has some', () => {
  const { problems } = parse(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {nme: a}
spec: {host: 5}
`);
  assert.deepEqual(problems, [
    'f.yaml:3:1: error HEDDLE_MISSING_FIELD: metadata.name: name is required',
    "f.yaml:3:12: error HEDDLE_UNKNOWN_FIELD: metadata.nme: unknown field 'nme' (did you mean 'name'?)",
    'f.yaml:4:14: error HEDDLE_WRONG_TYPE: spec.host: host must be text, got the number 5',
  ]);
});

const kinds: readonly [apiVersion: string, kind: string, problem: RegExp][] = [
  ['batch/v1', 'CronJob', /UNSUPPORTED_KIND: kind: passed over: CronJob is a kind of Kubernetes/],
  [
    'networking.istio.io/v2',
    'VirtualService',
    /UNKNOWN_KIND: apiVersion: VirtualService has no version 'v2' \(its versions are networking\.istio\.io\/v1, /,
  ],
  [
    'networking.k8s.io/v1',
    'VirtualService',
    /there is no VirtualService in 'networking\.k8s\.io\/v1' \(write 'apiVersion: networking\.istio\.io\/v1'\)/,
  ],
  [
    'networking.istio.io/v1',
    'DestinationRules',
    /unknown kind 'DestinationRules' .*did you mean 'DestinationRule'/,
  ],
  ['v1', 'Servise', /unknown kind 'Servise' \(did you mean 'Service'\?\)/],
  [
    'example.org/v1',
    'Gadget',
    /unknown kind 'Gadget' in the group 'example\.org' \(known of the mesh's are VirtualService, DestinationRule, /,
  ],
];

for (const [apiVersion, kind, problem] of kinds) {
  test(`takes no ${kind} of ${apiVersion} and says why`, () => {
    const { objects, problems } = parse(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n`);
    assert.deepEqual(objects, []);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, problem);
  });
}

test('reads the keys of objects whose spec is no longer valid, to delete them', () => {
  const text = reviews.replace('weight: 80', 'weight: "80"');
  const { keys, problems } = parseKeys([{ name: 'f', text }], { namespace: 'shop' });
  const group = 'networking.istio.io';
  assert.deepEqual(keys, [{ group, kind: 'VirtualService', namespace: 'shop', name: 'reviews' }]);
  assert.deepEqual(problems, []);
});

test('reports at most a hundred problems of one object', () => {
  const fields = Array.from({ length: 500 }, (_, index) => `  x${index}: 1`).join('\n');
  const { problems } = parse(
    `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec:\n  host: a\n${fields}\n`,
  );
  assert.equal(problems.length, 100);
});

test('stores objects of kinds that do nothing yet with a warning that says so', () => {
  const { objects, problems } = parse(
    'apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: a}\nspec: {}\n',
  );
  assert.equal(objects.length, 1);
  assert.match(problems.join('\n'), /^f\.yaml:2:7: warning HEDDLE_NO_EFFECT_YET: kind: stored, and without/);
});

test('tells the two kinds of Gateways apart', () => {
  const { objects, problems } = parse(`apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: a}
spec: {servers: []}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: a}
spec: {gatewayClassName: heddle, listeners: [{name: http, port: 80, protocol: HTTP}]}
`);
  assert.equal(objects.length, 2);
  assert.doesNotMatch(problems.join('\n'), / error /);
});

test('reads kinds without spec, and writes them as they are written', () => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\ndata: {mesh: "trustDomain: 1"}\n';
  const { objects, problems } = parse(text);
  assert.equal(objects.length, 0);
  assert.match(
    problems.join('\n'),
    /error HEDDLE_WRONG_TYPE: data.mesh: trustDomain: trustDomain must be text, got the number 1/,
  );
  const [valid] = parse(text.replace('trustDomain: 1', 'trustDomain: a')).objects as MeshObject[];
  assert.deepEqual(toManifest(valid!), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'default' },
    data: { mesh: 'trustDomain: a' },
  });
});
