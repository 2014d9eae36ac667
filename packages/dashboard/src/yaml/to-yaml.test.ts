import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toYaml, yamlTokens } from './to-yaml.ts';

test('writes an object the way people write it', () => {
  const object = {
    apiVersion: 'networking.istio.io/v1',
    metadata: { name: 'reviews', labels: {} },
    spec: {
      hosts: ['reviews', '*.example.com'],
      http: [
        {
          match: [{ headers: { 'end-user': { exact: 'jason' } } }],
          route: [{ destination: { host: 'reviews' } }],
        },
        { route: [{ destination: { host: 'reviews' }, weight: 80 }], timeout: '0.5s' },
      ],
    },
  };
  assert.equal(
    toYaml(object),
    `apiVersion: networking.istio.io/v1
metadata:
  name: reviews
  labels: {}
spec:
  hosts:
  - reviews
  - "*.example.com"
  http:
  - match:
    - headers:
        end-user:
          exact: jason
    route:
    - destination:
        host: reviews
  - route:
    - destination:
        host: reviews
      weight: 80
    timeout: 0.5s
`,
  );
});

test('puts quotation marks around text that would be read as something else', () => {
  const cases: [string, string][] = [
    ['80', '"80"'],
    ['1.5', '"1.5"'],
    ['true', '"true"'],
    ['No', '"No"'],
    ['~', '"~"'],
    ['', '""'],
    ['- a', '"- a"'],
    ['a: b', '"a: b"'],
    ['a #b', '"a #b"'],
    ['ends:', '"ends:"'],
    [' padded', '" padded"'],
    ['two\nlines', '"two\\nlines"'],
    ['1:30', '"1:30"'],
    ['plain words', 'plain words'],
    ['spiffe://cluster.local/ns/a', 'spiffe://cluster.local/ns/a'],
    ['v1', 'v1'],
    ['5s', '5s'],
  ];
  for (const [text, written] of cases) assert.equal(toYaml({ key: text }), `key: ${written}\n`, text);
});

test('writes what is not text as what it is', () => {
  assert.equal(toYaml({ a: 1, b: false, c: null, d: [], e: undefined }), 'a: 1\nb: false\nc: null\nd: []\n');
  assert.equal(toYaml([[1, 2], [{ a: 1, b: 2 }]]), '- - 1\n  - 2\n- - a: 1\n    b: 2\n');
});

test('writes several lines under a bar', () => {
  assert.equal(toYaml({ body: { text: 'one\n\ntwo\n' } }), 'body:\n  text: |\n    one\n\n    two\n');
});

test('tells the colours apart', () => {
  const kinds = yamlTokens({ a: 'b', c: 1, d: true }).filter((token) => token.kind !== 'mark');
  assert.deepEqual(
    kinds.map((token) => [token.kind, token.text]),
    [
      ['key', 'a'],
      ['text', 'b'],
      ['key', 'c'],
      ['number', '1'],
      ['key', 'd'],
      ['word', 'true'],
    ],
  );
});
