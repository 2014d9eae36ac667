import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from '../manifest/parse-manifests.ts';

function warningsOf(kind: string, namespace: string, spec: string): string[] {
  const text = `apiVersion: security.istio.io/v1\nkind: ${kind}\nmetadata: {name: a, namespace: ${namespace}}\nspec: ${spec}\n`;
  const { problems } = parseManifests([{ name: 'f.yaml', text }], { namespace: 'default' });
  return problems.map(({ code, path }) => `${code} ${path}`);
}

const all = '{}';
const some = '{selector: {matchLabels: {app: a}}}';
const doubtful = ['HEDDLE_DOUBTFUL_VALUE metadata.namespace'];

test("warns of what would be for the whole mesh in Istio's root namespace, and is not here", () => {
  assert.deepEqual(warningsOf('PeerAuthentication', 'istio-system', all), doubtful);
  assert.deepEqual(warningsOf('AuthorizationPolicy', 'istio-system', all), doubtful);
  assert.deepEqual(warningsOf('AuthorizationPolicy', 'istio-system', some), []);
  assert.deepEqual(warningsOf('AuthorizationPolicy', 'heddle-system', all), []);
});

test('warns of selectors in the root namespace where they say nothing', () => {
  const nothing = ['HEDDLE_NO_EFFECT_YET spec.selector'];
  assert.deepEqual(warningsOf('PeerAuthentication', 'heddle-system', some), nothing);
  assert.deepEqual(warningsOf('AuthorizationPolicy', 'heddle-system', some), []);
  assert.deepEqual(warningsOf('PeerAuthentication', 'default', some), []);
});
