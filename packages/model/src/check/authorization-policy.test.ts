import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';

function problemsOf(spec: string): string[] {
  const text = `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: ${spec}\n`;
  const { problems } = parseManifests([{ name: 'f.yaml', text }], { namespace: 'default' });
  return problems.map(({ severity, code, path }) => `${severity} ${code} ${path}`);
}

const closed = 'warning HEDDLE_FAILS_CLOSED';
const invalid = 'error HEDDLE_INVALID_VALUE';

const cases: readonly [spec: string, ...problems: string[]][] = [
  ['{}'],
  ['{rules: [{}]}'],
  ['{action: DENY}', 'warning HEDDLE_DOUBTFUL_VALUE spec'],
  ['{action: CUSTOM, rules: [{}]}', `error HEDDLE_MISSING_FIELD spec.provider.name`, `${closed} spec.action`],
  ['{action: CUSTOM, provider: {name: p}, rules: [{}]}', `${closed} spec.action`],
  ['{provider: {name: p}}', `${invalid} spec.provider`],
  [
    '{targetRefs: [{kind: Service, name: a}, {kind: Gateway, name: b}]}',
    'warning HEDDLE_NO_EFFECT_YET spec.targetRefs',
  ],
  [
    '{rules: [{from: [{source: {requestPrincipals: ["*"]}}]}]}',
    `${closed} spec.rules[0].from[0].source.requestPrincipals`,
  ],
  [
    '{rules: [{from: [{source: {ipBlocks: [10.0.0.0/8, "::1", 10.0.0.0/33, x]}}]}]}',
    `${invalid} spec.rules[0].from[0].source.ipBlocks[2]`,
    `${invalid} spec.rules[0].from[0].source.ipBlocks[3]`,
  ],
  [
    '{rules: [{to: [{operation: {ports: ["80", "0", http]}}]}]}',
    `${invalid} spec.rules[0].to[0].operation.ports[1]`,
    `${invalid} spec.rules[0].to[0].operation.ports[2]`,
  ],
  ['{rules: [{to: [{operation: {paths: ["/a/{*}/b/{**}", "/{**}/a", /a*, "*"]}}]}]}'],
  [
    '{rules: [{to: [{operation: {paths: ["/a{*}", "/{a}", "/{**}/{**}", "/{*}*", "{*}"]}}]}]}',
    ...[0, 1, 2, 3, 4].map((index) => `${invalid} spec.rules[0].to[0].operation.paths[${index}]`),
  ],
  ['{rules: [{when: [{key: source.ip}]}]}', 'error HEDDLE_MISSING_FIELD spec.rules[0].when[0].values'],
  ['{rules: [{when: [{key: source.user, values: [a]}]}]}', `${invalid} spec.rules[0].when[0].key`],
  [
    '{rules: [{when: [{key: source.ip, values: [a]}, {key: destination.port, notValues: [b]}]}]}',
    `${invalid} spec.rules[0].when[0].values[0]`,
    `${invalid} spec.rules[0].when[1].notValues[0]`,
  ],
  [
    '{rules: [{when: [{key: "request.auth.claims[a][b]", values: [x]}]}]}',
    `${closed} spec.rules[0].when[0].key`,
  ],
  ['{rules: [{when: [{key: "request.headers[x-a]", values: [x]}]}]}'],
];

for (const [spec, ...expected] of cases)
  test(`finds ${expected.length === 0 ? 'nothing' : expected.join(', ')} in ${spec}`, () => {
    assert.deepEqual(problemsOf(spec), expected);
  });
