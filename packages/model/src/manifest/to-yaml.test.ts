import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseManifests } from './parse-manifests.ts';
import { toYaml } from './to-yaml.ts';

const text = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
  namespace: default
spec:
  host: reviews
  subsets:
    - name: v1
      labels:
        version: "on"
        build: "12"
`;

test('writes what reads back as the same object, also for readers of YAML 1.1', () => {
  const { objects } = parseManifests([{ name: 'f', text }], { namespace: 'default' });
  assert.equal(toYaml(objects[0]!.object), text);
});

test('separates several objects', () => {
  assert.equal(toYaml({ a: 1 }, { b: 2 }), 'a: 1\n---\nb: 2\n');
});
