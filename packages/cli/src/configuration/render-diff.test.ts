import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiffResponse } from '@heddle/control-plane';
import { renderDiff } from './render-diff.ts';

const sidecar = (name: string): string => `sidecar~${name}~${name}.default~default.svc.cluster.local`;
const five = ['a', 'b', 'c', 'd', 'e'].map(sidecar);

const response: DiffResponse = {
  objects: [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      namespace: 'default',
      name: 'reviews',
      change: 'configured',
      file: 'new.yaml',
      line: 3,
      fields: [
        { path: 'spec.http[0].route[0].weight', before: 90, after: 10, line: 14 },
        { path: 'spec.http[0].retries', before: { attempts: 3, retryOn: `reset,${'x'.repeat(90)}` } },
      ],
      resources: [
        {
          type: 'rds',
          name: 'http-proxy|default',
          change: 'changed',
          proxies: five,
          fields: [{ path: 'virtualHosts[reviews:9080].routes[default].route.timeout', after: '3s' }],
        },
        { type: 'cds', name: 'outbound|9080|v3|reviews', change: 'added', proxies: five, fields: [] },
        { type: 'lds', name: 'dns', change: 'removed', proxies: [sidecar('f')], fields: [] },
      ],
      warnings: [],
    },
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      namespace: 'default',
      name: 'shop',
      change: 'unchanged',
      file: '-',
      line: 1,
      fields: [],
      resources: [],
      warnings: [],
    },
  ],
  proxies: { changed: [...five, sidecar('f')], total: 9 },
};

test('writes what would change in lines of 80 columns', () => {
  const text = renderDiff(response, false);
  assert.ok(text.split('\n').every((line) => line.length <= 80));
  assert.equal(
    text.replaceAll(/x{3,}…/g, 'xxx…'),
    `~ virtualservice.networking.istio.io/reviews configured               new.yaml:3
  ~ line 14: spec.http[0].route[0].weight: 90 → 10
  - spec.http[0].retries
      {"attempts":3,"retryOn":"reset,xxx…
  for 5 of 9 connected (a, b, c and 2 more):
    ~ routes http-proxy|default
    + cluster outbound|9080|v3|reviews
  for 1 of 9 connected (f):
    - listener dns
  namespace/shop unchanged                                      standard input:1
2 objects: 1 configured, 1 unchanged; 6 of 9 connected proxies would change
`,
  );
});

test('shows fields of resources where details are asked for', () => {
  assert.match(
    renderDiff(response, true),
    /~ routes http-proxy\|default\n {8}\+ virtualHosts\[reviews:9080\]\.routes\[default\]\.route\.timeout: "3s"\n/,
  );
});
