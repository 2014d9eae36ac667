import assert from 'node:assert/strict';
import { test } from 'node:test';
import { service, to, virtualService } from '../testing/objects.ts';
import { analyze } from './analyze.ts';
import { objectStatus } from './status.ts';

const vs = virtualService('vs', { hosts: ['reviews'], http: [{ route: to('reviews') }] });

test('says what is missing in the shape of Istio, and what no longer is once it is there', () => {
  const before = objectStatus(analyze({ objects: [vs], services: new Map() }), { generation: 4, nowMs: 0 });
  const message = "the host 'reviews' (reviews.default.svc.cluster.local) does not exist";
  const lastTransitionTime = '1970-01-01T00:00:00.000Z';
  assert.deepEqual(before, {
    observedGeneration: 4,
    conditions: [
      { type: 'ResolvedRefs', status: 'False', reason: 'RefNotFound', message, lastTransitionTime },
    ],
    validationMessages: [
      {
        type: { code: 'IST0101', name: 'ReferencedResourceNotFound' },
        level: 'ERROR',
        documentationUrl: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
        message,
        path: 'spec.http[0].route[0].destination.host',
      },
    ],
  });
  const reviews = service('reviews', 9080);
  const findings = analyze({ objects: [vs], services: new Map([[reviews.host, reviews]]) });
  const after = objectStatus(findings, { generation: 4, nowMs: 5000, previous: before });
  assert.deepEqual(after.validationMessages, []);
  assert.deepEqual(
    after.conditions.map(({ type, status, lastTransitionTime: time }) => `${type} ${status} ${time}`),
    ['ResolvedRefs True 1970-01-01T00:00:05.000Z'],
  );
});

test('keeps the time of a condition that stays as it was', () => {
  const findings = analyze({ objects: [vs], services: new Map() });
  const previous = objectStatus(findings, { generation: 4, nowMs: 0 });
  const status = objectStatus(findings, { generation: 4, nowMs: 9000, previous });
  assert.equal(status.conditions[0]!.lastTransitionTime, '1970-01-01T00:00:00.000Z');
});
